// Command floor pages through every pod of a cluster with the client that everybody uses, in protobuf, and keeps nothing:
// the least that a program can spend which looks at all pods. It prints how many it saw.
//
// Test/bench runs it as a process of its own, so that its memory is its alone.
package main

import (
	"context"
	"fmt"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	n, err := count(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
	fmt.Println(n)
}

func count(ctx context.Context) (int, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return 0, err
	}
	config.QPS = -1
	config.ContentType = "application/vnd.kubernetes.protobuf"
	client, err := corev1client.NewForConfig(config)
	if err != nil {
		return 0, err
	}
	pods := 0
	opts := metav1.ListOptions{Limit: 500}
	for {
		page, err := client.Pods("").List(ctx, opts)
		if err != nil {
			return 0, err
		}
		pods += len(page.Items)
		if opts.Continue = page.Continue; opts.Continue == "" {
			return pods, nil
		}
	}
}
