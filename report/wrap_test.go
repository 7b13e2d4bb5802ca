package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrapCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     []string
	}{
		{"fits", "kubectl get pods", []string{"kubectl get pods"}},
		{"breaks between arguments", "kubectl get pods --all-namespaces --output=wide", []string{`kubectl get pods \`, `  --all-namespaces \`, `  --output=wide`}},
		{"keeps a quoted argument whole", `kubectl patch x -p '{"a": "b c d e f g h"}'`, []string{`kubectl patch x \`, `  -p '{"a": "b c d e f g h"}'`}},
		{"keeps an escaped quote inside", `printf $'it\'s one argument' another-argument`, []string{`printf \`, `  $'it\'s one argument' \`, `  another-argument`}},
		{"keeps a substitution whole", `ip route get "$(getent ahosts a b c d e)"`, []string{`ip route get \`, `  "$(getent ahosts a b c d e)"`}},
		{"keeps a pipe and its command", "kubectl get secret/regcred | base64 --decode > ./file", []string{`kubectl get \`, `  secret/regcred \`, `  | base64 \`, `  --decode > ./file`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, wrapCommand(tt.in, 24)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	got := wrap("the image https://registry.example.com/v2/a/manifests/b is gone 镜像镜像", 20)
	want := []string{"the image", "https://registry.example.com/v2/a/manifests/b", "is gone 镜像镜像"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
