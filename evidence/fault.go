package evidence

import "slices"

// Fault reports whether a node's fact says that something there is not as it should be: what is shown first, and cut
// last. It says nothing about the cause of a failing pull.
func Fault(f *Fact) bool {
	switch {
	case f.Host != nil:
		return f.Host.Fails != "" || f.Host.Lies != "" || f.Host.Costs > 0
	case f.RegistryConfig != nil:
		return slices.ContainsFunc(f.RegistryConfig.Problems, func(p ConfigProblem) bool {
			return p.Effect == EffectStops || p.Effect == EffectFails || p.Effect == EffectBypassed
		})
	case f.Runtime != nil:
		r := f.Runtime
		return r.Process == No || r.Answers == No || r.Images == No || len(r.Conditions) > 0
	case f.Downloads != nil:
		return slices.ContainsFunc(f.Downloads.Active, func(d Download) bool { return d.Still })
	case f.NodePull != nil:
		return !f.NodePull.OK
	case f.Provider != nil:
		return slices.Contains(failedProviders, f.Provider.Result)
	case f.Disk != nil:
		return slices.ContainsFunc(f.Disk.Areas, func(a DiskArea) bool { return a.Short != "" || a.ReadOnly })
	case f.Content != nil:
		return len(f.Content.Damages) > 0
	}
	return false
}

// failedProviders are ends of a run that the kubelet would show as an error, or pull without credentials after.
var failedProviders = []ProviderResult{ProviderMissing, ProviderForbidden, ProviderTimeout, ProviderFailed, ProviderMalformed}
