// Package cluster is the lab: a real Kubernetes (etcd, API server, controller manager, scheduler, and nodes with kubelet
// and containerd) built from pinned Go modules, with registries and a DNS server that fail on request. Tests, the demo
// and the benchmarks run against it, not against fakes.
//
//	lab, err := cluster.Up(ctx, cluster.Config{Name: "demo", Nodes: 2})
//	defer lab.Down(ctx)
//	pods, err := lab.Client().CoreV1().Pods("").List(ctx, metav1.ListOptions{})
//
// Every node is one process tree in its own pid, mount, network and hostname namespaces; inside, all paths are those of a
// real node (/etc/containerd/certs.d, /run/containerd/containerd.sock, /var/lib/kubelet, …). Ending the tree's first
// process ends the node with its mounts and loop devices, which is how Down leaves nothing behind.
//
// It refuses to be a production cluster, to run without root or outside Linux (ErrUnsupported), to change settings of the
// host's own network namespace beyond one bridge and its routes, and to end any process that it did not start.
package cluster
