package sqltest

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends a child by a signal when the process of the tests is
// killed.
func dieWithParent(as *syscall.SysProcAttr, by syscall.Signal) *syscall.SysProcAttr {
	if as == nil {
		as = &syscall.SysProcAttr{}
	}
	child := *as
	child.Pdeathsig = by
	return &child
}

// DieWithParent kills a child when this process ends.
func DieWithParent(child *exec.Cmd) {
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
