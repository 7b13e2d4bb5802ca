// Package podscan goes through all pods of a cluster at the price of the few
// that matter.
//
// Pods come in protobuf pages. Each pod's bytes are glanced at where they lie:
// a pod in which no container waits is never decoded. Pages are read into two
// buffers in turn, so memory does not grow with the cluster. The package judges
// nothing: what a waiting container means is its caller's to say.
package podscan

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
)

// Field numbers of k8s.io/api/core/v1/generated.proto and apimachinery's generated.proto, which never change.
const (
	unknownRaw = 2

	listMeta     = 1
	listItem     = 2
	metaContinue = 3

	podSpec, podStatus = 2, 3

	specContainer, specNode = 2, 10

	statusApp, statusInit, statusEphemeral = 8, 10, 13

	containerName, containerImage = 1, 2
	stateOf                       = 2
	stateWaiting, stateRunning    = 1, 2
)

var errWire = errors.New("the API server's answer is not well-formed protobuf")

// Glance is what a pod's bytes tell without decoding them. Its slices are only
// good until the next pod.
type Glance struct {
	// Waiting is set where any container of the pod waits for something.
	Waiting bool
	Node    []byte
	// Running are the images, as the spec has them, of app containers that run.
	Running [][]byte

	raw       []byte
	up, specs [][]byte
}

// Pod decodes the pod.
func (g *Glance) Pod() (*corev1.Pod, error) {
	pod := new(corev1.Pod)
	if err := pod.Unmarshal(g.raw); err != nil {
		return nil, err
	}
	return pod, nil
}

// fields calls visit with each length-delimited field of a message.
func fields(b []byte, visit func(num protowire.Number, v []byte) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errWire
		}
		b = b[n:]
		if typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(num, typ, b); n < 0 {
				return errWire
			}
			b = b[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return errWire
		}
		if err := visit(num, v); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// read fills the glance from a pod's bytes, keeping what the slices have grown to.
func (g *Glance) read(raw []byte) error {
	*g = Glance{raw: raw, Running: g.Running[:0], up: g.up[:0], specs: g.specs[:0]}
	err := fields(raw, func(num protowire.Number, v []byte) error {
		switch num {
		case podSpec:
			return fields(v, g.spec)
		case podStatus:
			return fields(v, g.status)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range g.specs {
		if err := g.match(c); err != nil {
			return err
		}
	}
	return nil
}

func (g *Glance) spec(num protowire.Number, v []byte) error {
	switch num {
	case specNode:
		g.Node = v
	case specContainer:
		g.specs = append(g.specs, v)
	}
	return nil
}

func (g *Glance) status(num protowire.Number, v []byte) error {
	switch num {
	case statusApp, statusInit, statusEphemeral:
	default:
		return nil
	}
	var name []byte
	running := false
	err := fields(v, func(num protowire.Number, v []byte) error {
		switch num {
		case containerName:
			name = v
		case stateOf:
			return fields(v, func(num protowire.Number, _ []byte) error {
				g.Waiting = g.Waiting || num == stateWaiting
				running = running || num == stateRunning
				return nil
			})
		}
		return nil
	})
	if running && num == statusApp {
		g.up = append(g.up, name)
	}
	return err
}

// match adds the image of a container whose status says that it runs.
func (g *Glance) match(container []byte) error {
	var name, image []byte
	err := fields(container, func(num protowire.Number, v []byte) error {
		switch num {
		case containerName:
			name = v
		case containerImage:
			image = v
		}
		return nil
	})
	for _, up := range g.up {
		if string(up) == string(name) {
			g.Running = append(g.Running, image)
		}
	}
	return err
}
