package codeid

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// readFile reads a file of at most limit bytes; written is when that was last
// done.
func readFile(name string, limit int) (body []byte, written time.Time, err error) {
	f, err := os.Open(name) //nolint:gosec // the application's own configuration
	if err != nil {
		return nil, written, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, written, err
	}
	body, err = io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, written, err
	}
	if len(body) > limit {
		return nil, written, fmt.Errorf("%w: more than %d bytes", ErrRuleset, limit)
	}
	return body, info.ModTime(), nil
}

// writeFile makes body the content of the file, unless it is already. A reader,
// a crash or a full disk meets the old content or the new one, never a part.
func writeFile(name string, body []byte, limit int) (err error) {
	if old, _, err := readFile(name, limit); err == nil && bytes.Equal(old, body) {
		return nil
	}
	folder := filepath.Dir(name)
	f, err := os.CreateTemp(folder, filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	// The new name is durable once the folder is; where folders cannot be synced,
	// the rename is done all the same.
	if d, err := os.Open(folder); err == nil { //nolint:gosec // the same
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}
