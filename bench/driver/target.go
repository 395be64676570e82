package main

import "time"

// Command is what a session runs.
type Command struct {
	Args  []string
	Stdin []byte
	Env   map[string]string
	// Capped output is what a REST call gets, else it is that of a command line.
	Capped   bool
	Terminal bool
	// Output takes what it puts out, in order; who is slow here is a slow reader. The bytes are valid until it returns.
	Output func([]byte)
}

// Session is a command that runs.
type Session interface {
	Type(keys []byte) error
	Kill()
	// Wait says how it ended: nil is exit code 0 without a message.
	Wait() error
}

// Target is what is measured.
type Target interface {
	Start(Command) (Session, error)
	// Processes are those whose CPU time and memory count.
	Processes() []int
	// Answer is how long it takes to answer something that starts nothing.
	Answer() (time.Duration, error)
	Close() error
}

func run(target Target, command Command) error {
	session, err := target.Start(command)
	if err != nil {
		return err
	}
	return session.Wait()
}
