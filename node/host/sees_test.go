package host

import "testing"

func TestSees(t *testing.T) {
	t.Parallel()
	const pod = "21 20 0:5 / / rw - overlay overlay rw\n22 21 8:1 /etc /host/etc ro - ext4 /dev/sda1 rw\n23 21 8:1 /var/lib/containerd /host/var/lib/containerd ro - ext4 /dev/sda1 rw\n"
	for _, tt := range []struct {
		name, mounts, at string
		want             bool
	}{
		{"below a mount", pod, "/host/etc/containerd/certs.d/x/ca.pem", true},
		{"the mount itself", pod, "/host/etc", true},
		{"beside it, with its name's start", pod, "/host/etcetera", false},
		{"the folder above a mount", pod, "/host/var/lib/kubelet", false},
		{"nothing mounted below the root", "21 20 0:5 / / rw - overlay overlay rw\n", "/host/usr/x", true},
		{"the root is a mount", pod + "24 21 8:1 / /host rw - ext4 /dev/sda1 rw\n", "/host/usr/x", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := sees([]byte(tt.mounts), "/host", tt.at); got != tt.want {
				t.Errorf("sees(%s) = %v", tt.at, got)
			}
		})
	}
}
