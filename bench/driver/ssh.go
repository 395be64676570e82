package main

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// A connection to sshd that stays open, each session a channel of it; `HOST:PORT USER KEYFILE PID-OF-SSHD`.
type sshTarget struct {
	client *ssh.Client
	daemon int
}

type sshSession struct {
	session *ssh.Session
	keys    interface{ Write([]byte) (int, error) }
	killed  bool
}

func dialSSH(args []string) (*sshTarget, error) {
	pem, err := os.ReadFile(args[2])
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		return nil, err
	}
	daemon, err := strconv.Atoi(args[3])
	if err != nil {
		return nil, err
	}
	client, err := ssh.Dial("tcp", args[0], &ssh.ClientConfig{
		User: args[1], Auth: []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), // #nosec: our own daemon on the loopback
	})
	return &sshTarget{client, daemon}, err
}

func (t *sshTarget) Processes() []int             { return familyOf(t.daemon, "sshd") }
func (*sshTarget) Answer() (time.Duration, error) { return 0, errStartsNothing }
func (t *sshTarget) Close() error                 { return t.client.Close() }

func (t *sshTarget) Start(command Command) (Session, error) {
	session, err := t.client.NewSession()
	if err != nil {
		return nil, err
	}
	s := &sshSession{session: session}
	session.Stdout = taker(command.Output)
	if command.Terminal {
		if err := session.RequestPty("xterm-256color", 24, 80, ssh.TerminalModes{}); err != nil {
			return nil, err
		}
		if s.keys, err = session.StdinPipe(); err != nil {
			return nil, err
		}
	} else {
		session.Stdin = bytes.NewReader(command.Stdin)
	}
	return s, session.Start(shellLine(command.Args))
}

func (s *sshSession) Type(keys []byte) error {
	_, err := s.keys.Write(keys)
	return err
}

func (s *sshSession) Kill() {
	s.killed = true
	_ = s.session.Close()
}

func (s *sshSession) Wait() error {
	err := s.session.Wait()
	if s.killed {
		return nil
	}
	return err
}

type taker func([]byte)

func (t taker) Write(data []byte) (int, error) {
	if t != nil {
		t(data)
	}
	return len(data), nil
}

func shellLine(args []string) string {
	quoted := make([]string, len(args))
	for at, arg := range args {
		quoted[at] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return "exec " + strings.Join(quoted, " ")
}

// ssh's client, a process for each session, over its ControlMaster; the arguments reach one.
type mux struct {
	pipe
	args []string
}

func (m mux) Start(command Command) (Session, error) {
	command.Args = append(append([]string{"ssh"}, m.args...), shellLine(command.Args))
	return m.pipe.Start(command)
}
