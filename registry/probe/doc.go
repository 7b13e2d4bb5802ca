// Package probe asks a registry for one image as the kubelet's runtime would: with each of the pod's credentials in the
// kubelet's order, from the manifest down to the platform's child manifest, its config and, where asked to, its layers.
// It says at which request the way ends, and what the registry said there.
//
// It is careful with other people's registries. What was asked once in a run is not asked again; manifests are read with
// HEAD first and with GET at most once per digest; a 429 ends the run's requests to that host; a credential that was refused is not
// tried again for ten minutes, by this process or by the next.
//
// It refuses to judge: which cause the answers speak for is package diagnose's work. It refuses to try anything that the kubelet
// would not, except for one look without credentials where all of them failed, and it never pulls a layer.
package probe
