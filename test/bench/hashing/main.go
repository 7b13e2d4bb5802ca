// Command hashing prints the SHA-256 of files as refloat's agent hashes stored blobs, one file on each processor. It is
// what test/bench measures beside openssl, and refuses to do anything else.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/refloat-dev/refloat/node/store/hash"
)

func main() {
	paths := make(chan string)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for path := range paths {
				if err := one(path); err != nil {
					fmt.Fprintln(os.Stderr, "hashing:", err)
					os.Exit(1)
				}
			}
		})
	}
	for _, path := range os.Args[1:] {
		paths <- path
	}
	close(paths)
	all.Wait()
}

func one(path string) error {
	f, err := hash.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	sum, _, err := (&hash.Hasher{}).Sum(context.Background(), f)
	if err == nil {
		fmt.Printf("%s *%s\n", sum, path)
	}
	return err
}
