package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/creack/pty"
)

// The floor: a command started here, without anything between.
type pipe struct{}

type pipeSession struct {
	command *exec.Cmd
	keys    io.Writer
	read    chan struct{}
	killed  bool
}

var errStartsNothing = errors.New("it answers nothing without a command")

func (pipe) Processes() []int               { return nil }
func (pipe) Close() error                   { return nil }
func (pipe) Answer() (time.Duration, error) { return 0, errStartsNothing }

func (pipe) Start(asked Command) (Session, error) {
	command := exec.Command(asked.Args[0], asked.Args[1:]...)
	command.Env = append(os.Environ(), pairs(asked.Env)...)
	s := &pipeSession{command: command, read: make(chan struct{})}
	if asked.Terminal {
		return s, s.openTerminal(asked)
	}
	command.Stdin = bytes.NewReader(asked.Stdin)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	go s.copy(asked, output)
	return s, command.Start()
}

func (s *pipeSession) openTerminal(asked Command) error {
	terminal, err := pty.Start(s.command)
	if err == nil {
		s.keys = terminal
		go s.copy(asked, terminal)
	}
	return err
}

func (s *pipeSession) copy(asked Command, from io.Reader) {
	defer close(s.read)
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && asked.Output != nil {
			asked.Output(buffer[:n])
		}
		if err != nil {
			return
		}
	}
}

func (s *pipeSession) Type(keys []byte) error {
	_, err := s.keys.Write(keys)
	return err
}

func (s *pipeSession) Kill() {
	s.killed = true
	_ = syscall.Kill(-s.command.Process.Pid, syscall.SIGKILL)
}

func (s *pipeSession) Wait() error {
	<-s.read
	err := s.command.Wait()
	if s.killed {
		return nil
	}
	return err
}

func pairs(env map[string]string) (list []string) {
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	return list
}
