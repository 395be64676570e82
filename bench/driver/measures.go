package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Sessions at once wherever there are many.
const inFlight = 64

const megabyte = 1e6

var measures = map[string]func(*bench) error{
	"start": startAndIdle, "output": output, "lines": lines, "stdin": stdin, "trip": trip, "rate": rate,
	"key": key, "held": held, "reader": slowReader, "after": after10000,
	"by-output": byOutput, "by-environment": byEnvironment, "by-sessions": bySessions,
}

// What bulk output costs; the command does little but write.
func output(b *bench) error {
	pieces := b.times(48)
	if err := b.cat(1); err != nil {
		return err
	}
	busy, own, startedAt := cpu(b.target.Processes()), cpu(self), time.Now()
	if err := b.cat(pieces); err != nil {
		return err
	}
	seconds, bytes := time.Since(startedAt).Seconds(), float64(pieces*len(b.piece))
	b.figures["MB/s"] = bytes / megabyte / seconds
	// Below one core's second for each second: the driver is not the limit.
	b.figures["driver busy"] = (cpu(self) - own).Seconds() / seconds
	b.busy("CPU s/GB", busy, bytes/1e9)
	return nil
}

// CPU time since, in seconds for each of so many; a plain pipe has no process whose time it could be.
func (b *bench) busy(name string, before time.Duration, each float64) {
	if pids := b.target.Processes(); pids != nil {
		b.figures[name] = (cpu(pids) - before).Seconds() / each
	}
}

// The file so many times.
func (b *bench) cat(times int) error {
	args := []string{"cat"}
	for range times {
		args = append(args, b.file)
	}
	return b.moved(args, int64(times*len(b.piece)))
}

func (b *bench) moved(args []string, bytes int64) error {
	check := &cycle{piece: b.piece}
	if err := run(b.target, Command{Args: args, Output: check.take}); err != nil {
		return err
	}
	return check.finish(bytes)
}

func (b *bench) writer(bytes, each int) []string {
	return []string{b.self, "write", b.file, fmt.Sprint(bytes), fmt.Sprint(each)}
}

func lines(b *bench) error {
	bytes := b.times(80_000_000)
	if err := b.moved(b.writer(bytes/10, 40), int64(bytes/10)); err != nil {
		return err
	}
	startedAt := time.Now()
	err := b.moved(b.writer(bytes, 40), int64(bytes))
	b.figures["MB/s"] = float64(bytes) / megabyte / time.Since(startedAt).Seconds()
	return err
}

// A script as large as the file; the command compares.
func stdin(b *bench) error {
	command := Command{Args: []string{b.self, "compare", b.file}, Stdin: b.piece}
	if err := run(b.target, command); err != nil {
		return err
	}
	times := b.times(12)
	startedAt := time.Now()
	for range times {
		if err := run(b.target, command); err != nil {
			return err
		}
	}
	b.figures["MB/s"] = float64(times*len(b.piece)) / megabyte / time.Since(startedAt).Seconds()
	return nil
}

var words atomic.Int64

// One bash that says a word of its own; whose word comes back is checked.
func (b *bench) execute(env map[string]string) error {
	word := fmt.Sprintf("word-%d\n", words.Add(1))
	var said []byte
	err := run(b.target, Command{
		Args: []string{"bash"}, Stdin: []byte("echo " + word), Env: env, Capped: true,
		Output: func(data []byte) { said = append(said, data...) },
	})
	if err == nil && string(said) != word {
		err = fmt.Errorf("%q came instead of %q", said, word)
	}
	return err
}

func trip(b *bench) error {
	if _, err := b.trips(b.times(100), nil); err != nil {
		return err
	}
	took, err := b.trips(b.times(500), nil)
	b.figures["p50 ms"], b.figures["p99 ms"] = took.percentile(50), took.percentile(99)
	return err
}

func (b *bench) trips(times int, env map[string]string) (took sample, err error) {
	for range times {
		startedAt := time.Now()
		if err := b.execute(env); err != nil {
			return took, err
		}
		took = append(took, time.Since(startedAt))
	}
	return took, nil
}

// Many at once; meanwhile answers to something that starts nothing show how long the agent's loop is away.
func rate(b *bench) error {
	if err := b.flood(b.times(300)); err != nil {
		return err
	}
	times := b.times(2000)
	answers := b.watch()
	busy, startedAt := cpu(b.target.Processes()), time.Now()
	if err := b.flood(times); err != nil {
		return err
	}
	b.figures["executions/s"] = float64(times) / time.Since(startedAt).Seconds()
	b.busy("CPU ms each", busy, float64(times)/1000)
	took, err := answers()
	if err == errStartsNothing {
		return nil
	}
	b.figures["answer p99 ms"] = took.percentile(99)
	return err
}

func (b *bench) flood(times int) error {
	var group sync.WaitGroup
	var begun atomic.Int64
	failed := make(chan error, inFlight)
	for range inFlight {
		group.Go(func() {
			for begun.Add(1) <= int64(times) {
				if err := b.execute(nil); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(failed)
	return <-failed
}

// Asks for an answer every few milliseconds, until the function that it returns is called.
func (b *bench) watch() func() (sample, error) {
	stop, done := make(chan struct{}), make(chan struct{})
	var took sample
	var failed error
	go func() {
		defer close(done)
		for failed == nil {
			var one time.Duration
			if one, failed = b.target.Answer(); failed == nil {
				took = append(took, one)
			}
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() (sample, error) { close(stop); <-done; return took, failed }
}
