package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"

	"github.com/creack/pty"
	"runbook-agent/bench/wire"
)

const readBytes = 32 << 10

type session struct {
	agent    *agent
	sid      string
	params   wire.Params
	lock     sync.Mutex
	command  *exec.Cmd
	terminal *os.File
}

func (s *session) take(p *wire.Packet) {
	switch p.Type {
	case "AgentExecWriteStdin":
		go s.run(p.Payload)
	case "AgentTerminalWriteStdin":
		if s.terminal != nil {
			_, _ = s.terminal.Write(p.Payload)
		} else if s.command == nil {
			s.openTerminal()
		}
	case "AgentSessionClose":
		s.kill()
	}
}

func (s *session) run(script []byte) {
	command := s.make()
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Stdin = bytes.NewReader(script)
	command.Stdout = &output{s, "ClientWriteStdout"}
	command.Stderr = &output{s, "ClientWriteStderr"}
	s.lock.Lock()
	err := command.Start()
	s.command = command
	s.lock.Unlock()
	if err == nil {
		err = command.Wait()
	}
	s.close(err)
}

func (s *session) openTerminal() {
	command := s.make()
	command.Env = append(command.Env, "TERM=xterm-256color")
	terminal, err := pty.Start(command)
	s.lock.Lock()
	s.command, s.terminal = command, terminal
	s.lock.Unlock()
	if err != nil {
		s.close(err)
		return
	}
	go func() {
		_, _ = io.CopyBuffer(&output{s, "ClientWriteStdout"}, terminal, make([]byte, readBytes)) // EIO at its end
		_ = terminal.Close()
		s.close(command.Wait())
	}()
}

func (s *session) make() *exec.Cmd {
	args := append(s.params.CmdList, s.params.ClientArgs...)
	command := exec.Command(args[0], args[1:]...)
	command.Env = environment(s.params)
	return command
}

func (s *session) close(err error) {
	p := wire.Of("ClientSessionClose", s.sid, nil)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		code, p.Payload = 254, []byte(err.Error())
	}
	p.Spec["client.exit_code"] = []byte(strconv.Itoa(code))
	s.agent.send(p)
}

func (s *session) kill() {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.command != nil && s.command.Process != nil && s.command.ProcessState == nil {
		_ = syscall.Kill(-s.command.Process.Pid, syscall.SIGKILL)
	}
}

// os/exec copies into it with a buffer of 32 KiB; each piece is a packet.
type output struct {
	session *session
	kind    string
}

func (o *output) Write(data []byte) (int, error) {
	o.session.agent.send(wire.Of(o.kind, o.session.sid, data))
	return len(data), nil
}
