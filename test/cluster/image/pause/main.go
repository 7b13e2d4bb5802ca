// Command pause holds a pod's namespaces open and does nothing else. It refuses to reap or to log: a lab pod that needs
// either should have it in its own container.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	<-c
}
