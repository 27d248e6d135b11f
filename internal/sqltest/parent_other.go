//go:build !linux

package sqltest

import "syscall"

// dieWithParent ends a child when the process of the tests is killed, where the
// system can do that.
func dieWithParent(as *syscall.SysProcAttr) *syscall.SysProcAttr { return as }
