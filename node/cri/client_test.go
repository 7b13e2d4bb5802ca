package cri

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestDialFails(t *testing.T) {
	t.Parallel()
	t.Run("no socket", func(t *testing.T) {
		t.Parallel()
		h, _ := listen(t)
		_, err := Dial(t.Context(), h, "/run/other.sock")
		if !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), h.Root) {
			t.Errorf("an error must say so and name the node's path alone: %v", err)
		}
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		h, l := listen(t)
		l.SetUnlinkOnClose(false)
		_ = l.Close()
		if _, err := Dial(t.Context(), h, socket); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v", err)
		}
	})
	t.Run("no word", func(t *testing.T) {
		t.Parallel()
		h, _ := listen(t) // nobody accepts
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := dialWithin(ctx, h, socket, 50*time.Millisecond); !errors.Is(err, ErrSilent) {
			t.Errorf("%v", err)
		}
	})
	t.Run("given up", func(t *testing.T) {
		t.Parallel()
		h, _ := listen(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(20*time.Millisecond, cancel)
		if _, err := Dial(ctx, h, socket); !errors.Is(err, context.Canceled) || errors.Is(err, ErrSilent) {
			t.Errorf("%v", err)
		}
	})
	t.Run("hangs up", func(t *testing.T) {
		t.Parallel()
		h, l := listen(t)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
			}
		}()
		if _, err := Dial(t.Context(), h, socket); !errors.Is(err, ErrHangsUp) {
			t.Errorf("%v", err)
		}
	})
	t.Run("out of the root", func(t *testing.T) {
		t.Parallel()
		h, _ := listen(t)
		_, l := listen(t)
		if err := os.Symlink(l.Addr().String(), filepath.Join(h.Root, "run/out.sock")); err != nil {
			t.Fatal(err)
		}
		if _, err := Dial(t.Context(), h, "/run/out.sock"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a link out of the root was followed: %v", err)
		}
	})
}

func TestCalls(t *testing.T) {
	t.Parallel()
	h, server := (&fake{images: 12_000}).serve(t) // some 12 MB
	c := dial(t, h)
	if v, err := c.Version(t.Context()); err != nil || v.GetRuntimeName() != "fake" {
		t.Errorf("%v, %v", v, err)
	}
	if images, err := c.Images(t.Context()); err != nil || len(images) != 12_000 {
		t.Errorf("%d images, %v", len(images), err)
	}
	if _, err := c.Status(t.Context(), true); status.Code(errors.Unwrap(err)) != codes.Unimplemented {
		t.Errorf("a call that the runtime does not know: %v", err)
	}
	server.Stop()
	if _, err := c.Version(t.Context()); err == nil {
		t.Error("a runtime that is gone answered")
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	h, _ := (&fake{images: 40_000}).serve(t) // some 40 MB
	if images, err := dial(t, h).Images(t.Context()); status.Code(errors.Unwrap(err)) != codes.ResourceExhausted {
		t.Errorf("%d images, %v", len(images), err)
	}
}
