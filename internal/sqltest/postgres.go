package sqltest

import (
	"database/sql"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

var postgres = shared{kind: kind{
	name: "PostgreSQL", user: "postgres", stop: syscall.SIGINT,
	programs: postgresPrograms,
	create: func(s *Server) *exec.Cmd {
		return exec.Command(s.program("initdb"), "-D", filepath.Join(s.folder, "data"), "-U", "postgres", "-A", "trust",
			"-E", "UTF8", "--locale=C", "--no-sync")
	},
	command: func(s *Server) *exec.Cmd {
		setting := s.onOff("on", "off")
		return exec.Command(s.program("postgres"), "-D", filepath.Join(s.folder, "data"), "-k", s.folder,
			"-c", "listen_addresses=", "-c", "max_connections=300",
			"-c", "fsync="+setting, "-c", "synchronous_commit="+setting, "-c", "full_page_writes="+setting)
	},
	connect: func(s *Server) (*sql.DB, error) {
		config, err := pgx.ParseConfig(postgresAddress(s))
		if err != nil {
			return nil, err
		}
		return stdlib.OpenDB(*config), nil
	},
}}

// postgresPrograms finds the newest PostgreSQL.
func postgresPrograms() (string, error) {
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) > 0 {
		version := func(path string) int {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
			return n
		}
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	return lookPath("initdb")
}

func lookPath(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", errMissing
	}
	return filepath.Dir(path), nil
}

func postgresAddress(s *Server) string {
	return "host=" + s.folder + " user=postgres dbname=postgres sslmode=disable"
}
