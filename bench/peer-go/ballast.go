package main

import (
	"os"
	"runtime"
	"strconv"
)

// A heap of BALLAST_MB, held until the end: what a start costs must not depend on it.
func ballast() (release func()) {
	mb, _ := strconv.Atoi(os.Getenv("BALLAST_MB"))
	held := make([]byte, mb<<20)
	for at := 0; at < len(held); at += os.Getpagesize() {
		held[at] = 1
	}
	return func() { runtime.KeepAlive(held) }
}
