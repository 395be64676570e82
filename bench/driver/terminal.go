package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"
)

// A key, from typing it to its echo: alone, and beside a command that writes as fast as it is read.
func key(b *bench) error {
	alone, err := b.keys()
	if err != nil {
		return err
	}
	b.figures["p50 ms"], b.figures["p99 ms"] = alone.percentile(50), alone.percentile(99)
	check := &cycle{piece: b.piece}
	bulk, err := b.target.Start(Command{Args: b.writer(math.MaxInt, 64<<10), Output: check.take})
	if err != nil {
		return err
	}
	beside, err := b.keys()
	bulk.Kill()
	if err != nil {
		return err
	}
	b.figures["beside bulk p50 ms"] = beside.percentile(50)
	if err := bulk.Wait(); err != nil {
		return err
	}
	return check.wrong
}

func (b *bench) keys() (took sample, err error) {
	shown := make(chan []byte, 16)
	session, err := b.target.Start(Command{
		Args: []string{"sh", "-c", "stty raw -echo; printf ready; exec cat"}, Terminal: true,
		Output: func(data []byte) { shown <- bytes.Clone(data) },
	})
	if err != nil {
		return nil, err
	}
	for seen := ""; !strings.Contains(seen, "ready"); {
		seen += string(<-shown)
	}
	for n := range b.times(1000) {
		key := []byte{byte(n)}
		startedAt := time.Now()
		if err := session.Type(key); err != nil {
			return nil, err
		}
		if echo := <-shown; !bytes.Equal(echo, key) {
			return nil, fmt.Errorf("%x came back as %x", key, echo)
		}
		took = append(took, time.Since(startedAt))
	}
	session.Kill()
	return took, session.Wait()
}
