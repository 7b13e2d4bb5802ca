//go:build !linux

package nodeinit

import "errors"

// Main has no meaning where there are no namespaces.
func Main([]string) error { return errors.ErrUnsupported }
