package accept_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alipayplus-mpp/alipayplus-go/alipayplus/alipayplustest/accept"
)

// The accept.json of CONTRACT.md is one, and every capability is explained
// there.
func TestContractPage(t *testing.T) {
	page, err := os.ReadFile("CONTRACT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, sample, _ := strings.Cut(string(page), "```json\n")
	sample, _, _ = strings.Cut(sample, "```")
	cfg, _, err := accept.NewConfig()
	if err != nil {
		t.Fatal(err)
	}
	own, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sample = strings.ReplaceAll(sample, "MIIE…", between(string(own), `"alipay"`))
	sample = strings.ReplaceAll(sample, "MIIB…", between(string(own), `"wallet"`))
	name := filepath.Join(t.TempDir(), "accept.json")
	if err := os.WriteFile(name, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := accept.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := accept.New(loaded); err != nil {
		t.Error(err)
	}
	for _, capability := range accept.Capabilities() {
		if !strings.Contains(string(page), "| `"+string(capability)+"` |") {
			t.Errorf("CONTRACT.md does not explain %q", capability)
		}
	}
}
