// The driver of `npm run bench`. `driver MEASURE SCALE FILE KIND ARGUMENT...` measures a target and prints its figures as
// JSON. FILE has the bytes that are moved; SCALE is 1, less for a quick look. KIND and its arguments are the target:
//
//	agent COMMAND...                    an agent, started with HOOP_KEY in its environment
//	rest URL TOKEN PID                  an embedded gateway
//	ssh HOST:PORT USER KEYFILE PID      channels on an open connection
//	mux ARGUMENT...                     ssh's own client with these arguments
//	pipe                                nothing between
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

type bench struct {
	target  Target
	scale   float64
	file    string
	piece   []byte
	self    string
	figures map[string]float64
}

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(1)
	}
}

func start(args []string) error {
	switch args[0] {
	case "write":
		return write(args[1:])
	case "compare":
		return compare(args[1:])
	}
	measure, known := measures[args[0]]
	if !known || len(args) < 4 {
		return fmt.Errorf("usage: driver MEASURE SCALE FILE KIND ARGUMENT...")
	}
	b := &bench{figures: map[string]float64{}}
	err := b.prepare(args[1], args[2])
	if err != nil {
		return err
	}
	if b.target, err = targetOf(args[3], args[4:]); err != nil {
		return err
	}
	err = measure(b)
	if closed := b.target.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(b.figures)
}

func (b *bench) prepare(scale, file string) (err error) {
	if b.file, err = filepath.Abs(file); err != nil {
		return err
	}
	if b.scale, err = strconv.ParseFloat(scale, 64); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	b.piece, err = os.ReadFile(b.file)
	return err
}

func targetOf(kind string, args []string) (Target, error) {
	switch kind {
	case "agent":
		return startGateway(args)
	case "rest":
		return askRest(args)
	case "ssh":
		return dialSSH(args)
	case "mux":
		return mux{args: args}, nil
	case "pipe":
		return pipe{}, nil
	}
	return nil, fmt.Errorf("%s is no kind of target", kind)
}

// So many, by the scale; enough for a median.
func (b *bench) times(count int) int { return max(int(float64(count)*b.scale), 5) }
