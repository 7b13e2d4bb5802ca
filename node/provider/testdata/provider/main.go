// Command provider is a credential provider that does what its first argument says.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

func main() {
	if os.Args[1] == "sleep" {
		time.Sleep(3 * time.Second)
		return
	}
	var request struct{ Kind, APIVersion, Image string }
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil || request.Kind != "CredentialProviderRequest" {
		fmt.Fprintln(os.Stderr, "no request:", err)
		os.Exit(3)
	}
	key := request.Image
	switch os.Args[1] {
	case "answer":
	case "key":
		key = os.Args[2]
	case "empty":
		key = ""
	case "fail":
		fmt.Fprintln(os.Stderr, "metadata: context deadline exceeded; the key was", os.Getenv("CLOUD_SECRET"), "and so was --token hunter2hunter2")
		os.Exit(7)
	case "print":
		fmt.Println(os.Args[2])
		fmt.Fprintln(os.Stderr, "printed", os.Args[2])
		os.Exit(len(os.Args) - 3)
	case "flood":
		for range 3000 {
			fmt.Println(strings.Repeat("x", 1023))
		}
		return
	case "hang":
		fmt.Fprintln(os.Stderr, "waiting for the cloud")
		time.Sleep(time.Hour)
	case "leave": // a process of another session, which keeps the output open
		child := exec.Command(os.Args[0], "sleep")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: os.Args[2] == "setsid"}
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		_ = os.WriteFile(os.Args[3], fmt.Append(nil, child.Process.Pid), 0o600)
		return
	case "environment":
		dir, _ := os.Getwd()
		open, _ := os.ReadDir("/proc/self/fd")
		pipes, files := 0, 0
		for _, f := range open {
			switch target, _ := os.Readlink("/proc/self/fd/" + f.Name()); {
			case strings.HasPrefix(target, "pipe:"):
				pipes++
			case strings.HasPrefix(target, "/sys/"): // its own runtime's
			case strings.HasPrefix(target, "/"), strings.HasPrefix(target, "socket:"):
				files++
			}
		}
		key = fmt.Sprintf("%s/%s/%s/%d/%d", request.Image, os.Getenv("FROM_KUBELET")+os.Getenv("FROM_CONFIG")+os.Getenv("NOT_OURS"), strings.ReplaceAll(dir, "/", "_"), pipes, files)
	}
	auth := map[string]map[string]string{}
	if key != "" {
		auth[key] = map[string]string{"username": "robot", "password": "hunter2hunter2"}
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{"kind": "CredentialProviderResponse", "apiVersion": request.APIVersion,
		"cacheKeyType": "Image", "auth": auth})
}
