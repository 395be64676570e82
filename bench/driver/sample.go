package main

import (
	"math"
	"slices"
	"time"
)

type sample []time.Duration

// The nearest rank, in milliseconds.
func (s sample) percentile(percent float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	at := max(int(math.Ceil(percent/100*float64(len(sorted))))-1, 0)
	return float64(sorted[at].Nanoseconds()) / 1e6
}
