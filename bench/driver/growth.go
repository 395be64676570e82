package main

import (
	"fmt"
	"strings"
	"time"
)

// How the cost of one execution grows. Each figure is named after the size, and is its median in milliseconds.

func byOutput(b *bench) error {
	for _, kib := range []int{1, 16, 256, 4096, 15360} {
		bytes := kib << 10
		command := []string{"dd", "if=" + b.file, "bs=64k", "iflag=count_bytes", "count=" + fmt.Sprint(bytes), "status=none"}
		var took sample
		for range b.times(15) {
			startedAt := time.Now()
			if err := b.moved(command, int64(bytes)); err != nil {
				return err
			}
			took = append(took, time.Since(startedAt))
		}
		b.figures[fmt.Sprint(kib)] = took.percentile(50)
	}
	return nil
}

func byEnvironment(b *bench) error {
	for _, count := range []int{0, 100, 300, 1000} {
		env := map[string]string{}
		for n := range count {
			env[fmt.Sprintf("NAME_%d", n)] = strings.Repeat("v", 50)
		}
		if err := b.medianTrip(count, env); err != nil {
			return err
		}
	}
	return nil
}

// 900 at most: an agent of ours takes 1,000 unless it is told otherwise.
func bySessions(b *bench) error {
	var sessions []Session
	defer func() {
		for _, session := range sessions {
			session.Kill()
		}
	}()
	for _, count := range []int{0, 100, 300, 900} {
		more, err := b.hold(count - len(sessions))
		if sessions = append(sessions, more...); err != nil {
			return err
		}
		if err := b.medianTrip(count, nil); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) medianTrip(size int, env map[string]string) error {
	if _, err := b.trips(b.times(20), env); err != nil {
		return err
	}
	took, err := b.trips(b.times(100), env)
	b.figures[fmt.Sprint(size)] = took.percentile(50)
	return err
}
