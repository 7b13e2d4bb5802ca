package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/refloat-dev/refloat/kube"
	"github.com/refloat-dev/refloat/report"
)

// Exit codes of the plugin.
const (
	exitFine        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitFailing     = 3
	exitCannotTell  = 4
	exitInterrupted = 130
)

// userError is what a person reads: what is wrong, and what to do about it.
type userError struct {
	what, do string
	code     int
	err      error
}

func (e *userError) Error() string { return e.what }
func (e *userError) Unwrap() error { return e.err }

// usage is an error in how refloat was called.
func usage(do, format string, args ...any) error {
	return &userError{what: fmt.Sprintf(format, args...), do: do, code: exitUsage}
}

// explainError writes err in two lines and gives the exit code it stands for.
func explainError(w io.Writer, err error) int {
	u := asUserError(err)
	_, _ = fmt.Fprintf(w, "error: %s\n", report.OneLine(u.what))
	if u.do != "" {
		_, _ = fmt.Fprintf(w, "%s\n", report.OneLine(u.do))
	}
	return u.code
}

// asUserError finds the two lines for any error that reaches the top.
func asUserError(err error) *userError {
	var u *userError
	if errors.As(err, &u) {
		return u
	}
	if what, do, two := strings.Cut(err.Error(), "\n"); two {
		return &userError{what: what, do: do, code: codeFor(err), err: err}
	}
	fail := func(do string) *userError { return &userError{what: err.Error(), do: do, code: exitFailed, err: err} }
	var network *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return &userError{what: "interrupted", do: "nothing was changed", code: exitInterrupted, err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return fail("the API server did not answer in time: try again, or raise --request-timeout")
	case apierrors.IsUnauthorized(err):
		return fail("the cluster does not accept these credentials: log in again, or choose another --context")
	case apierrors.IsForbidden(err):
		return &userError{what: err.Error(), do: "ask for the permission named above, or narrow with -n NAMESPACE", code: exitCannotTell, err: err}
	case errors.As(err, &network):
		return fail("the API server cannot be reached: check --context, --kubeconfig and the network")
	}
	return fail("see what the command takes with --help; if this looks wrong, report it with the message above")
}

// codeFor tells an error of the caller from one of refloat or the cluster.
func codeFor(err error) int {
	var target *kube.TypeError
	if errors.As(err, &target) {
		return exitUsage
	}
	return exitFailed
}
