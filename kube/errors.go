package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	"github.com/refloat-dev/refloat/evidence"
)

// NotFoundError says that what was asked for by name does not exist. Its text is
// two lines: what is wrong, and what to do.
type NotFoundError struct {
	Kind, Namespace, Name string
	// Similar are names of the same kind there that look alike, at most five.
	Similar []string
}

func (e *NotFoundError) Error() string {
	what := fmt.Sprintf("%s %q not found", e.Kind, e.Name)
	list := "kubectl get " + e.Kind + "s"
	if e.Namespace != "" {
		what += fmt.Sprintf(" in namespace %q", e.Namespace)
		list += " -n " + evidence.Quote(e.Namespace)
	}
	if len(e.Similar) > 0 {
		return what + "\nthere is " + strings.Join(e.Similar, ", ")
	}
	return what + "\nlist what is there with: " + list
}

// TypeError says that pods cannot be found through a type.
type TypeError struct{ Type string }

func (e *TypeError) Error() string {
	return fmt.Sprintf("cannot find pods through the type %q\nname a pod, or one of %s, as in deploy/web", e.Type, strings.Join(typeNames, ", "))
}

// UnreachableError says that the API server did not answer.
type UnreachableError struct {
	Host string
	Err  error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the API server %s does not answer: %s\ncheck the context and the network: kubectl cluster-info", e.Host, cause(e.Err))
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// failure wraps an error of a request that the run cannot do without.
func (c *Client) failure(doing string, err error) error {
	var status apierrors.APIStatus
	switch {
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s: the API server does not take these credentials: %w\nlog in again, or choose another context", doing, err)
	case errors.As(err, &status), errors.Is(err, context.Canceled), !away(err):
		return fmt.Errorf("%s: %w", doing, err)
	}
	return &UnreachableError{Host: c.host, Err: err}
}

// away tells a connection that failed from an answer that came and is no good.
func away(err error) bool {
	var network net.Error // url.Error is one
	return errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF) ||
		utilnet.IsProbableEOF(err) || utilnet.IsHTTP2ConnectionLost(err)
}

// gap turns a refused or failed request into what could not be seen.
func gap(what string, err error, how string) evidence.Gap {
	return evidence.Gap{Vantage: evidence.API, What: what, Why: reason(err), How: how}
}

// reason is Forbidden and the like with the API server's text, redacted.
func reason(err error) string {
	if r := apierrors.ReasonForError(err); r != "" {
		return evidence.Clean(string(r) + ": " + cause(err))
	}
	return evidence.Clean(cause(err))
}

// short is the reason alone where the API server gave one: the gap beside it has the rest.
func short(err error) string {
	if r := apierrors.ReasonForError(err); r != "" {
		return string(r)
	}
	return sentence(reason(err))
}

// cause is an error's text on one line.
func cause(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) && status.Status().Message != "" {
		return strings.ReplaceAll(status.Status().Message, "\n", " ")
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}
