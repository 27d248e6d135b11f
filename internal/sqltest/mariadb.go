package sqltest

import (
	"database/sql"
	"errors"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

var mariadb = shared{kind: kind{
	name: "MariaDB", user: "mysql", stop: syscall.SIGTERM,
	programs: func() (string, error) {
		bin, err := lookPath("mariadb-install-db")
		if _, missing := os.Stat("/usr/sbin/mariadbd"); err == nil && errors.Is(missing, os.ErrNotExist) {
			_, err = lookPath("mariadbd")
		}
		return bin, err
	},
	create: func(s *Server) *exec.Cmd {
		return exec.Command(s.program("mariadb-install-db"), "--no-defaults", "--datadir="+filepath.Join(s.folder, "data"),
			"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--innodb-flush-method=nosync",
			"--tmpdir="+s.folder) // two of them at once must not share /tmp
	},
	command: func(s *Server) *exec.Cmd {
		program := "/usr/sbin/mariadbd"
		if _, err := os.Stat(program); err != nil {
			program = "mariadbd"
		}
		return exec.Command(program, "--no-defaults", "--datadir="+filepath.Join(s.folder, "data"),
			"--socket="+mariadbSocket(s), "--pid-file="+filepath.Join(s.folder, "pid"), "--skip-networking", "--max-connections=400",
			"--skip-name-resolve", "--tmpdir="+s.folder,
			"--innodb-flush-log-at-trx-commit="+s.onOff("1", "0"), "--innodb-flush-method="+s.onOff("fsync", "nosync"))
	},
	connect: func(s *Server) (*sql.DB, error) {
		return sql.Open("mysql", mariadbAddress(s, "mysql"))
	},
}}

func init() {
	// The driver logs each connection that breaks; the tests break many.
	_ = mysql.SetLogger(log.New(io.Discard, "", 0))
}

func mariadbSocket(s *Server) string { return filepath.Join(s.folder, "socket") }

// mariadbAddress returns the data source of a database.
func mariadbAddress(s *Server, database string) string {
	return "root@unix(" + mariadbSocket(s) + ")/" + database + "?interpolateParams=true"
}
