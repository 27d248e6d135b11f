//go:build !linux

package sqltest

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends a child by a signal when the process of the tests is
// killed, where the system can do that.
func dieWithParent(as *syscall.SysProcAttr, by syscall.Signal) *syscall.SysProcAttr { return as }

// DieWithParent kills a child when this process ends, where the system can do
// that.
func DieWithParent(*exec.Cmd) {}
