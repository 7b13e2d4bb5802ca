package podscan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

// PageSize is how many pods one request asks for.
const PageSize = 500

// maxPage bounds one page: a pod is at most 1.5 MiB in etcd, and 500 of that size do not occur.
const maxPage = 512 << 20

const protobuf = "application/vnd.kubernetes.protobuf"

var envelope = []byte("k8s\x00")

// Scan is one walk over the pods of a namespace, or of all.
type Scan struct {
	REST      rest.Interface // of the core group
	Namespace string         // empty for all
	Options   metav1.ListOptions
	// MaxPages ends the walk early; 0 goes to the end.
	MaxPages int
}

// Each calls visit for every pod. The next page is on its way while visit looks
// at the one before. An error is the API server's own, unwrapped enough for
// apierrors, or visit's.
func (s Scan) Each(ctx context.Context, visit func(*Glance) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var buffers [2]bytes.Buffer
	next := s.fetch(ctx, &buffers[0], "")
	defer func() {
		cancel()
		if next != nil {
			<-next //nolint:errcheck // waited for, so that no request outlives the scan; how it ended no longer matters
		}
	}()
	glance := new(Glance)
	for i := 0; next != nil; i++ {
		err := <-next
		next = nil
		token, again := expired(err)
		if err != nil && !again {
			return err
		}
		page := buffers[i%2].Bytes()
		if !again {
			if token, err = continueOf(page); err != nil {
				return err
			}
		}
		if token != "" && (s.MaxPages == 0 || i+1 < s.MaxPages) {
			next = s.fetch(ctx, &buffers[(i+1)%2], token)
		}
		if again {
			continue
		}
		if err := pods(page, glance, visit); err != nil {
			return err
		}
	}
	return nil
}

// fetch asks for a page in the background.
func (s Scan) fetch(ctx context.Context, into *bytes.Buffer, token string) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.get(ctx, into, token) }()
	return done
}

func (s Scan) get(ctx context.Context, into *bytes.Buffer, token string) error {
	opts := s.Options
	opts.Limit, opts.Continue = PageSize, token
	body, err := s.REST.Get().Namespace(s.Namespace).Resource("pods").
		VersionedParams(&opts, scheme.ParameterCodec).SetHeader("Accept", protobuf+", application/json").Stream(ctx)
	if err != nil {
		return err
	}
	defer body.Close()
	into.Reset()
	n, err := into.ReadFrom(io.LimitReader(body, maxPage+1))
	if err != nil {
		return fmt.Errorf("reading a page of pods: %w", err)
	}
	if n > maxPage {
		return fmt.Errorf("a page of %d pods is larger than %d MiB", PageSize, maxPage>>20)
	}
	return nil
}

// expired tells of a list that took so long that its version is gone; the API
// server then hands out a token that goes on from there with newer pods.
func expired(err error) (token string, ok bool) {
	var status apierrors.APIStatus
	if !apierrors.IsResourceExpired(err) || !errors.As(err, &status) {
		return "", false
	}
	token = status.Status().Continue
	return token, token != ""
}

// continueOf finds the token for the page after this one.
func continueOf(page []byte) (token string, err error) {
	if !bytes.HasPrefix(page, envelope) {
		var list struct {
			Metadata metav1.ListMeta `json:"metadata"`
		}
		if err := json.Unmarshal(page, &list); err != nil {
			return "", fmt.Errorf("the API server's list of pods is neither protobuf nor JSON: %w", err)
		}
		return list.Metadata.Continue, nil
	}
	err = list(page, func(num protowire.Number, v []byte) error {
		if num != listMeta {
			return nil
		}
		return fields(v, func(num protowire.Number, v []byte) error {
			if num == metaContinue {
				token = string(v)
			}
			return nil
		})
	})
	return token, err
}

// list opens the envelope and visits the list's fields.
func list(page []byte, visit func(protowire.Number, []byte) error) error {
	return fields(page[len(envelope):], func(num protowire.Number, v []byte) error {
		if num != unknownRaw {
			return nil
		}
		return fields(v, visit)
	})
}

// pods glances at every pod of a page.
func pods(page []byte, g *Glance, visit func(*Glance) error) error {
	if !bytes.HasPrefix(page, envelope) {
		return podsJSON(page, g, visit)
	}
	return fields(page[len(envelope):], func(num protowire.Number, v []byte) error {
		if num != unknownRaw {
			return nil
		}
		return eachItem(v, g, visit)
	})
}

// podsJSON serves what answers in JSON alone, such as a proxy that rewrites: slower, and the same.
func podsJSON(page []byte, g *Glance, visit func(*Glance) error) error {
	var l corev1.PodList
	if err := json.Unmarshal(page, &l); err != nil {
		return fmt.Errorf("reading a list of pods: %w", err)
	}
	for i := range l.Items {
		raw, err := l.Items[i].Marshal()
		if err != nil {
			return fmt.Errorf("reading a pod: %w", err)
		}
		if err := g.read(raw); err != nil {
			return err
		}
		if err := visit(g); err != nil {
			return err
		}
	}
	return nil
}

// Bytes calls visit for every pod of one protobuf PodList, without an envelope.
func Bytes(list []byte, visit func(*Glance) error) error {
	return eachItem(list, new(Glance), visit)
}

func eachItem(b []byte, g *Glance, visit func(*Glance) error) error {
	return fields(b, func(num protowire.Number, v []byte) error {
		if num != listItem {
			return nil
		}
		if err := g.read(v); err != nil {
			return err
		}
		return visit(g)
	})
}
