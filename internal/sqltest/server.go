package sqltest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a private database server in a temporary folder.
type Server struct {
	kind    kind
	bin     string // folder of its programs
	folder  string
	as      *syscall.SysProcAttr // whom it runs as
	durable bool
	run     *exec.Cmd
	ended   chan struct{} // is closed when run has ended
	log     bytes.Buffer
	admin   *sql.DB
}

// kind is what differs between servers.
type kind struct {
	name string
	user string // who runs it, if this process is root
	// programs finds the folder of its programs.
	programs func() (string, error)
	// create is the command that makes an empty database, command the one that
	// runs the server.
	create, command func(s *Server) *exec.Cmd
	// connect connects to the server itself.
	connect func(s *Server) (*sql.DB, error)
	stop    syscall.Signal // ends it at once, and cleanly
}

// errMissing: the server is not installed.
var errMissing = errors.New("is not installed")

// shared is the server of one kind for the tests of this process, which do not
// ask it to survive a power failure.
type shared struct {
	kind   kind
	once   sync.Once
	server *Server
	err    error
}

// get starts the server if it does not run. Without its programs the test is
// skipped; with CI=true that is a failure.
func (s *shared) get(t testing.TB) *Server {
	t.Helper()
	s.once.Do(func() { s.server, s.err = startServer(s.kind, false) })
	needs(t, s.err)
	return s.server
}

func needs(t testing.TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, errMissing) && os.Getenv("CI") != "true":
		t.Skip("skipped: " + err.Error())
	case err != nil:
		t.Fatal(err)
	}
}

// Main runs the tests, stops what they started and ends the process.
func Main(m *testing.M) {
	code := m.Run()
	for _, s := range []*shared{&postgres, &mariadb} {
		s.once.Do(func() {})
		if s.server != nil {
			s.server.Close()
		}
	}
	os.Exit(code)
}

// startServer makes a server and starts it. A durable one keeps what it
// committed when it is killed, and when the power fails.
func startServer(k kind, durable bool) (*Server, error) {
	s := &Server{kind: k, durable: durable}
	err := s.create()
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) create() (err error) {
	if s.bin, err = s.kind.programs(); err != nil {
		return fmt.Errorf("%s %w", s.kind.name, err)
	}
	if s.folder, err = os.MkdirTemp("", "sqltest"); err != nil {
		return err
	}
	if os.Getuid() == 0 { // it refuses to run as root
		u, err := user.Lookup(s.kind.user)
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(s.folder, uid, gid); err != nil {
			return err
		}
		s.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	create := s.kind.create(s)
	create.SysProcAttr, create.Dir = s.as, s.folder
	if out, err := create.CombinedOutput(); err != nil {
		return fmt.Errorf("%s cannot be set up: %w\n%s", s.kind.name, err, out)
	}
	return nil
}

// Start starts it, also after Kill, and waits until it answers.
func (s *Server) Start() (err error) {
	s.log.Reset()
	s.run = s.kind.command(s)
	s.run.SysProcAttr, s.run.Dir, s.run.Stdout, s.run.Stderr = dieWithParent(s.as, s.kind.stop), s.folder, &s.log, &s.log
	if err := s.run.Start(); err != nil {
		s.run = nil
		return err
	}
	run, ended := s.run, make(chan struct{})
	s.ended = ended
	go func() {
		defer close(ended)
		_ = run.Wait()
	}()
	if s.admin == nil {
		if s.admin, err = s.kind.connect(s); err != nil {
			return err
		}
	}
	// However slow the machine is: it answers some day, unless it ends.
	for {
		if err = s.admin.PingContext(context.Background()); err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s does not start: %w\n%s", s.kind.name, err, s.log.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Kill ends it and its children as a failure would.
func (s *Server) Kill() {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", s.run.Process.Pid))
	_ = s.run.Process.Kill()
	for _, child := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	<-s.ended
}

// Close stops it and removes its folder.
func (s *Server) Close() {
	if s.admin != nil {
		_ = s.admin.Close()
	}
	if s.run != nil {
		_ = s.run.Process.Signal(s.kind.stop)
		<-s.ended
	}
	if s.folder != "" {
		_ = os.RemoveAll(s.folder)
	}
}

// program returns the path of one of its programs.
func (s *Server) program(name string) string { return filepath.Join(s.bin, name) }

// onOff returns one of two settings: what a durable server has, or what is
// fast.
func (s *Server) onOff(durable, fast string) string {
	if s.durable {
		return durable
	}
	return fast
}
