package cri

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// reason takes the socket's path, as it is mounted here, out of an error of a connection.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	if errors.Is(err, syscall.EAGAIN) { // so many wait at the socket that nobody takes them
		return ErrSilent
	}
	return err
}
