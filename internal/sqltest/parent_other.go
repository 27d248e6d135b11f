//go:build !linux

package sqltest

import (
	"os/exec"
	"syscall"
)

// dieWithParent ends a child when the process of the tests is killed, where the
// system can do that.
func dieWithParent(as *syscall.SysProcAttr) *syscall.SysProcAttr { return as }

// DieWithParent kills a child when this process ends, where the system can do
// that.
func DieWithParent(*exec.Cmd) {}
