//go:build !unix

package upstream

import (
	"context"
	"errors"
)

// Lock has no meaning where the lab cannot run.
func Lock(context.Context, string) (func(), error) { return nil, errors.ErrUnsupported }
