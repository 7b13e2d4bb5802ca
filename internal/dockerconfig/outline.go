package dockerconfig

import (
	"encoding/json"
	"maps"
	"slices"
)

// Outline is what stands in docker config data apart from what the kubelet takes
// from it, as far as the data can be read at all. It holds no credential.
type Outline struct {
	// Keys are the registries as they are written, sorted; those of a broken entry too.
	Keys []string
	// Broken is the kubelet's error for each entry that gives one.
	Broken map[string]string
	// Ignored names the field that an entry without user and password has instead, such as identitytoken.
	Ignored map[string]string
	// Misplaced are registries where the kubelet does not look: beside auths in a
	// .dockerconfigjson, under auths in a .dockercfg.
	Misplaced []string
	// Helpers are registries under credHelpers; Store is set where there is a credsStore.
	Helpers []string
	Store   bool
}

// Describe outlines the data.
func Describe(data []byte, wrapped bool) Outline {
	var top map[string]json.RawMessage
	_ = json.Unmarshal(data, &top) // what can be read of a broken file is still worth naming
	var file struct {
		Auths       map[string]json.RawMessage `json:"auths"`
		CredsStore  json.RawMessage            `json:"credsStore"`
		CredHelpers map[string]json.RawMessage `json:"credHelpers"`
	}
	_ = json.Unmarshal(data, &file) // as above
	o := Outline{Helpers: sorted(file.CredHelpers), Store: file.CredsStore != nil}
	entries, elsewhere := file.Auths, top
	if !wrapped {
		entries, elsewhere = top, file.Auths
	}
	o.Keys = sorted(entries)
	for key, raw := range entries {
		o.describe(key, raw)
	}
	for key, raw := range elsewhere {
		if isEntry(raw) {
			o.Misplaced = append(o.Misplaced, key)
		}
	}
	slices.Sort(o.Misplaced)
	return o
}

func (o *Outline) describe(key string, raw json.RawMessage) {
	var e Entry
	if err := json.Unmarshal(raw, &e); err != nil {
		if o.Broken == nil {
			o.Broken = map[string]string{}
		}
		o.Broken[key] = kubelets(err).Error()
		return
	}
	if e != (Entry{}) {
		return
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(raw, &fields) // it has none where it is no object
	for _, name := range []string{"identitytoken", "registrytoken"} {
		if _, ok := fields[name]; ok {
			if o.Ignored == nil {
				o.Ignored = map[string]string{}
			}
			o.Ignored[key] = name
			return
		}
	}
}

// isEntry tells a registry's entry from the other things that stand in such a file.
func isEntry(raw json.RawMessage) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return false
	}
	for _, name := range []string{"auth", "username", "password", "identitytoken"} {
		if _, ok := fields[name]; ok {
			return true
		}
	}
	return false
}

func sorted(m map[string]json.RawMessage) []string { return slices.Sorted(maps.Keys(m)) }
