package disk

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/node/host"
)

// kubelet is when the node's kubelet removes images and evicts pods for its disks.
type kubelet struct {
	root          string
	gcHigh, gcLow int32
	evicts        []string
	gaps          []evidence.Gap
}

// settings are what of KubeletConfiguration bears on disks.
type settings struct {
	High          *int32            `json:"imageGCHighThresholdPercent"`
	Low           *int32            `json:"imageGCLowThresholdPercent"`
	EvictionHard  map[string]string `json:"evictionHard"`
	MergeDefaults *bool             `json:"mergeDefaultEvictionSettings"`
}

// The defaults (K36 pkg/kubelet/apis/config/v1beta1/defaults.go, pkg/kubelet/eviction/defaults_linux.go).
const defaultHigh, defaultLow = 85, 80

var defaultHard = map[string]string{
	"nodefs.available": "10%", "nodefs.inodesFree": "5%", "imagefs.available": "15%", "imagefs.inodesFree": "5%",
}

// disks are the signals that are told, in their order. Those of containerfs follow from the others.
var disks = []string{"nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree"}

const (
	// maxConfig bounds a file: YAML's anchors make more of it than its size tells.
	maxConfig  = 256 << 10
	maxDropIns = 100
)

// readKubelet reads the kubelet's files and flags (K36 cmd/kubelet/app/server.go:338-482): its configuration, drop-ins
// over it, flags over them.
func readKubelet(v *view) kubelet {
	k := kubelet{root: "/var/lib/kubelet"}
	const what = "when the kubelet removes images and evicts pods for its disks"
	p, err := v.host.Kubelet()
	if err != nil {
		k.gaps = append(k.gaps, gapOf(what, err.Error()))
		return k
	}
	if dir := p.Flag("root-dir"); filepath.IsAbs(dir) {
		k.root = dir
	}
	if p.Name != "kubelet" {
		k.gaps = append(k.gaps, gapOf(what, "it is a part of "+p.Name+", which has settings and defaults of its own"))
		return k
	}
	var s settings
	if err := v.configured(p, &s); err != nil {
		k.gaps = append(k.gaps, gapOf(what, err.Error()))
		return k
	}
	k.gcHigh, k.gcLow = defaultHigh, defaultLow
	for to, from := range map[*int32]*int32{&k.gcHigh: s.High, &k.gcLow: s.Low} {
		if from != nil {
			*to = *from
		}
	}
	for name, to := range map[string]*int32{"image-gc-high-threshold": &k.gcHigh, "image-gc-low-threshold": &k.gcLow} {
		if n, err := strconv.ParseInt(p.Flag(name), 10, 32); err == nil {
			*to = int32(n)
		}
	}
	if flag := p.Flag("eviction-hard"); flag != "" {
		s.EvictionHard = map[string]string{}
		for pair := range strings.SplitSeq(flag, ",") {
			signal, value, _ := strings.Cut(pair, "<")
			s.EvictionHard[strings.TrimSpace(signal)] = strings.TrimSpace(value)
		}
	}
	for _, signal := range disks {
		if value := s.EvictionHard[signal]; value != "" && value != "0%" && value != "100%" && len(value) < 32 {
			k.evicts = append(k.evicts, evidence.Clean(signal+"<"+value))
		}
	}
	return k
}

// configured reads the files. The defaults of evictionHard are in the first one already where it sets none; one that it
// sets drops the others, unless they are to be merged.
func (v *view) configured(p *host.Process, s *settings) error {
	if file := p.Flag("config"); file != "" {
		if err := v.load(file, s); err != nil {
			return err
		}
		merge := s.MergeDefaults != nil && *s.MergeDefaults
		if s.EvictionHard == nil {
			s.EvictionHard, merge = map[string]string{}, true
		}
		for signal, value := range defaultHard {
			if _, set := s.EvictionHard[signal]; merge && !set {
				s.EvictionHard[signal] = value
			}
		}
	}
	dir := p.Flag("config-dir")
	if dir == "" {
		return nil
	}
	files, err := v.dropIns(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := v.load(file, s); err != nil {
			return err
		}
	}
	return nil
}

// dropIns are the .conf files of a folder and those below it, in the order of their names.
func (v *view) dropIns(dir string) ([]string, error) {
	var out []string
	entries, err := first(v.hosts, func(h *host.Host) ([]fs.DirEntry, error) { return h.ReadDir(dir) })
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir() && strings.Count(dir, "/") < 16:
			below, err := v.dropIns(path)
			if err != nil {
				return nil, err
			}
			out = append(out, below...)
		case filepath.Ext(path) == ".conf":
			out = append(out, path)
		}
		if len(out) > maxDropIns {
			return nil, fmt.Errorf("%s: more than %d files", dir, maxDropIns)
		}
	}
	return out, nil
}

// load reads one file over what is set already: maps are merged by their keys.
func (v *view) load(path string, s *settings) error {
	data, err := first(v.hosts, func(h *host.Host) ([]byte, error) { return h.ReadFile(path) })
	if err == nil && len(data) > maxConfig {
		err = fmt.Errorf("%s: %w", path, host.ErrTooLarge)
	}
	if err != nil {
		return err
	}
	asJSON, err := yaml.YAMLToJSON(data)
	if err == nil {
		err = json.Unmarshal(asJSON, s)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// first is what the first way to the node's files gives that gives it.
func first[T any](hosts []*host.Host, get func(*host.Host) (T, error)) (T, error) {
	var got T
	var err error
	for _, h := range hosts {
		if got, err = get(h); err == nil {
			break
		}
	}
	return got, err
}
