// Command app is what lab images run: it sleeps until it is told to end, or exits at once with the code given as its
// first argument or in EXIT_CODE, so that a pod whose pull works can still crash. It refuses to do any work.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

func main() {
	code := os.Getenv("EXIT_CODE")
	if len(os.Args) > 1 {
		code = os.Args[1]
	}
	if code != "" {
		n, err := strconv.Atoi(code)
		if err != nil {
			fmt.Fprintf(os.Stderr, "app: exit code %q is not a number\n", code)
			os.Exit(2)
		}
		fmt.Fprintf(os.Stderr, "app: told to exit with %d\n", n)
		os.Exit(n)
	}
	fmt.Println("app: afloat")
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	<-c
}
