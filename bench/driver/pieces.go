package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
)

// The bytes that are moved: a file of random bytes, again and again.
type cycle struct {
	piece []byte
	at    int64
	wrong error
}

// take compares with what must come next: a byte that is lost, doubled or out of place is found.
func (c *cycle) take(data []byte) {
	for len(data) > 0 {
		from := c.at % int64(len(c.piece))
		n := min(len(data), len(c.piece)-int(from))
		if c.wrong == nil && !bytes.Equal(data[:n], c.piece[from:int(from)+n]) {
			c.wrong = fmt.Errorf("output differs within %d bytes from byte %d on", n, c.at)
		}
		c.at += int64(n)
		data = data[n:]
	}
}

func (c *cycle) finish(bytes int64) error {
	if c.wrong == nil && c.at != bytes {
		c.wrong = fmt.Errorf("%d bytes of output came, not %d", c.at, bytes)
	}
	return c.wrong
}

// `driver write FILE BYTES EACH`: so many bytes of the cycle, each write of so many.
func write(args []string) error {
	piece, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	total, _ := strconv.Atoi(args[1])
	each, _ := strconv.Atoi(args[2])
	for at := 0; at < total; {
		from := at % len(piece)
		n := min(each, total-at, len(piece)-from)
		if _, err := os.Stdout.Write(piece[from : from+n]); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// `driver compare FILE`: fails unless stdin is the file.
func compare(args []string) error {
	piece, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	c := &cycle{piece: piece}
	buffer := make([]byte, 64<<10)
	for {
		n, err := os.Stdin.Read(buffer)
		c.take(buffer[:n])
		if err == io.EOF {
			return c.finish(int64(len(piece)))
		}
		if err != nil {
			return err
		}
	}
}
