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
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// server is the private PostgreSQL of this process.
var server struct {
	once   sync.Once
	err    error
	folder string
	run    *exec.Cmd
	admin  *sql.DB
}

var errNoPostgreSQL = errors.New("no PostgreSQL is installed")

// Main runs the tests, stops what they started and ends the process.
func Main(m *testing.M) {
	code := m.Run()
	stop()
	os.Exit(code)
}

func start() error {
	server.once.Do(func() {
		if server.err = startPostgreSQL(); server.err != nil {
			stop()
		}
	})
	return server.err
}

func stop() {
	if server.admin != nil {
		_ = server.admin.Close()
	}
	if server.run != nil {
		_ = server.run.Process.Signal(syscall.SIGINT) // ends at once, and cleanly
		_ = server.run.Wait()
	}
	if server.folder != "" {
		_ = os.RemoveAll(server.folder)
	}
}

// binaries is the folder of the newest PostgreSQL.
func binaries() (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
			return n
		}
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errNoPostgreSQL
}

func startPostgreSQL() error {
	bin, err := binaries()
	if err != nil {
		return err
	}
	if server.folder, err = os.MkdirTemp("", "sqltest"); err != nil {
		return err
	}
	var as *syscall.SysProcAttr
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		postgres, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(postgres.Uid)
		gid, _ := strconv.Atoi(postgres.Gid)
		if err := os.Chown(server.folder, uid, gid); err != nil {
			return err
		}
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	data := filepath.Join(server.folder, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, server.folder
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	var log bytes.Buffer
	run := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", server.folder, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=300")
	run.SysProcAttr, run.Dir, run.Stdout, run.Stderr = dieWithParent(as), server.folder, &log, &log
	if err := run.Start(); err != nil {
		return err
	}
	server.run = run
	config, err := configOf("")
	if err != nil {
		return err
	}
	server.admin = stdlib.OpenDB(*config)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err = server.admin.PingContext(context.Background()); err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not start: %w\n%s", err, log.String())
		}
	}
}

// configOf is how to connect to a schema; "" is the server itself.
func configOf(schema string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig("host=" + server.folder + " user=postgres dbname=postgres sslmode=disable")
	if err == nil && schema != "" {
		config.RuntimeParams["search_path"] = schema
	}
	return config, err
}
