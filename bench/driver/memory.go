package main

import (
	"fmt"
	"time"
)

// After its start, and after work, a program still does what it put off; then it is idle.
func (b *bench) settle() { time.Sleep(time.Duration(b.scale * 1500 * float64(time.Millisecond))) }

func startAndIdle(b *bench) error {
	b.settle()
	b.figures["ms"] = float64(b.target.(*gateway).started.Microseconds()) / 1000
	b.figures["RSS MB"] = memory(b.target.Processes(), "Rss")
	b.figures["PSS MB"] = memory(b.target.Processes(), "Pss")
	return nil
}

// Sessions that run and say nothing more.
func held(b *bench) error {
	if _, err := b.trips(b.times(50), nil); err != nil {
		return err
	}
	b.settle()
	rss, open := memory(b.target.Processes(), "Rss"), descriptors(b.target.Processes())
	var sessions []Session
	for _, wanted := range []int{b.times(200), b.times(1000)} {
		more, err := b.hold(wanted - len(sessions))
		if sessions = append(sessions, more...); err != nil {
			return err
		}
		b.settle()
		count := map[bool]string{true: "1000", false: "200"}[wanted > b.times(200)]
		b.figures[count+" RSS MB"] = memory(b.target.Processes(), "Rss")
		b.figures[count+" KB each"] = (memory(b.target.Processes(), "Rss") - rss) * 1000 / float64(wanted)
		b.figures[count+" fds each"] = float64(descriptors(b.target.Processes())-open) / float64(wanted)
	}
	for _, session := range sessions {
		session.Kill()
	}
	return b.givenBack(open)
}

func (b *bench) hold(count int) (sessions []Session, err error) {
	ready := make(chan struct{}, count)
	for range count {
		session, err := b.target.Start(Command{
			Args: []string{"bash"}, Stdin: []byte("echo ready; exec sleep 1000"),
			Output: func([]byte) { ready <- struct{}{} },
		})
		if err != nil {
			return sessions, err
		}
		sessions = append(sessions, session)
	}
	for range count {
		select {
		case <-ready:
		case <-time.After(patience):
			return sessions, fmt.Errorf("a session said nothing for %s", patience)
		}
	}
	return sessions, nil
}

// Every descriptor that sessions took must be back; a few may serve the whole program.
func (b *bench) givenBack(open int) error {
	const few = 4
	for late := time.Now().Add(patience); descriptors(b.target.Processes()) > open+few; {
		if time.Now().After(late) {
			return fmt.Errorf("%d descriptors are open, %d were", descriptors(b.target.Processes()), open)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// A reader of 1 MB/s: what stands between command and reader is bounded, and the agent does not grow.
func slowReader(b *bench) error {
	if err := b.cat(1); err != nil {
		return err
	}
	b.settle()
	rss, total := memory(b.target.Processes(), "Rss"), b.times(4_000_000)
	check := &cycle{piece: b.piece}
	startedAt, lookAt := time.Now(), -1
	args := b.writer(total, 32<<10)
	take := func(data []byte) {
		check.take(data)
		time.Sleep(time.Until(startedAt.Add(time.Duration(check.at) * time.Second / megabyte)))
		if at := int(check.at) / 200_000; at > lookAt {
			lookAt = at
			b.atMost("RSS growth MB", memory(b.target.Processes(), "Rss")-rss)
			b.atMost("in flight MB", float64(writtenBy(b.self+"\x00write\x00"+b.file)-check.at)/megabyte)
		}
	}
	if err := run(b.target, Command{Args: args, Output: take}); err != nil {
		return err
	}
	return check.finish(int64(total))
}

func (b *bench) atMost(name string, value float64) { b.figures[name] = max(b.figures[name], value) }

// What is left of 10,000 executions.
func after10000(b *bench) error {
	b.settle()
	rss := memory(b.target.Processes(), "Rss")
	if err := b.flood(b.times(10_000)); err != nil {
		return err
	}
	b.settle()
	b.figures["RSS MB"] = memory(b.target.Processes(), "Rss")
	b.figures["RSS growth MB"] = b.figures["RSS MB"] - rss
	return nil
}
