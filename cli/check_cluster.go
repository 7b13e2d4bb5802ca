package cli

import (
	"os"

	"github.com/refloat-dev/refloat/evidence"
	"github.com/refloat-dev/refloat/kube"
)

// cluster says which cluster is meant, if any. The rule: --local asks none; a kubeconfig, a flag that names one, or
// the service account of a pod that this runs in does name one, and that it cannot be reached is then an error;
// where there is nothing of the kind none is asked, and a gap says so.
func (f *checkFlags) cluster(q *checkRequest) error {
	if f.local {
		q.without("--local leaves it out", f)
		return nil
	}
	t := targetFlags{kube: f.kube}
	scope, err := t.scope(nil)
	if err != nil {
		return err
	}
	named, err := f.namesCluster()
	if err != nil {
		return err
	}
	if !named {
		q.without("no kubeconfig is here", f)
		return nil
	}
	config, err := f.kube.ToRESTConfig()
	if err != nil {
		return &userError{what: "no cluster is configured: " + err.Error(), do: "set KUBECONFIG, or leave the cluster out with --local", code: exitFailed, err: err}
	}
	client, err := kube.New(config)
	if err != nil {
		return err
	}
	q.planned.API, q.planned.Scope = &kube.API{Client: client, Keep: q.config == nil}, scope
	return nil
}

// namesCluster tells whether anything says which cluster is meant. client-go would fall back on localhost:8080.
func (f *checkFlags) namesCluster() (bool, error) {
	raw, err := f.kube.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return false, err // scope has told it in two lines
	}
	for _, flag := range []*string{f.kube.KubeConfig, f.kube.Context, f.kube.ClusterName, f.kube.AuthInfoName, f.kube.APIServer, f.kube.BearerToken} {
		if flag != nil && *flag != "" {
			return true, nil
		}
	}
	switch {
	case len(raw.Clusters) > 0 || len(raw.Contexts) > 0:
		return true, nil
	case os.Getenv("KUBECONFIG") != "":
		return false, &userError{what: "KUBECONFIG names no kubeconfig: " + os.Getenv("KUBECONFIG"), do: "correct it, or leave the cluster out with --local", code: exitFailed}
	case os.Getenv("KUBERNETES_MASTER") != "":
		return true, nil
	}
	_, err = os.Stat("/var/run/secrets/kubernetes.io/serviceaccount/token") // where rest.InClusterConfig looks
	return err == nil && os.Getenv("KUBERNETES_SERVICE_HOST") != "", nil
}

// without notes that no cluster is asked, and what of the answer hangs on that.
func (q *checkRequest) without(why string, f *checkFlags) {
	q.planned.Scope = evidence.Scope{Namespace: *f.kube.Namespace}
	g := evidence.Gap{Vantage: evidence.API, What: "the cluster", Why: why, How: "give a kubeconfig"}
	if q.config == nil {
		g.Why += ": images were asked for without its pull secrets"
		g.How += ", or credentials with --docker-config FILE"
	}
	if len(f.platforms) == 0 {
		g.Why += ", for linux/amd64 where a manifest names nothing else"
		g.How += ", or platforms with --platform"
	}
	if q.config == nil || len(f.platforms) == 0 {
		q.gaps = append(q.gaps, g)
	}
}
