package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"runbook-agent/bench/wire"
)

const patience = 20 * time.Second

// A gateway for one agent, which it starts; it does nothing but the protocol.
type gateway struct {
	server    *grpc.Server
	agent     *exec.Cmd
	started   time.Duration
	connected chan struct{}
	stream    grpc.ServerStream
	sending   sync.Mutex
	lock      sync.Mutex
	sessions  map[string]*gatewaySession
	count     int
}

type gatewaySession struct {
	gateway *gateway
	sid     string
	command Command
	opened  chan struct{}
	closed  chan error
	killed  bool
}

func startGateway(command []string) (*gateway, error) {
	g := &gateway{connected: make(chan struct{}), sessions: map[string]*gatewaySession{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g.server = grpc.NewServer(grpc.ForceServerCodecV2(wire.Codec{}), grpc.MaxRecvMsgSize(wire.MaxMessage))
	connect := wire.Stream
	connect.Handler = func(_ any, stream grpc.ServerStream) error { return g.serve(stream) }
	g.server.RegisterService(&grpc.ServiceDesc{ServiceName: "protobuf.Transport", Streams: []grpc.StreamDesc{connect}}, nil)
	go func() { _ = g.server.Serve(listener) }()
	return g, g.startAgent(command, fmt.Sprintf("grpc://bench:xagt-of-the-bench@%s?mode=standard", listener.Addr()))
}

func (g *gateway) startAgent(command []string, key string) error {
	g.agent = exec.Command(command[0], command[1:]...)
	g.agent.Env = append(os.Environ(), "HOOP_KEY="+key)
	g.agent.Stderr = os.Stderr
	startedAt := time.Now()
	if err := g.agent.Start(); err != nil {
		return err
	}
	select {
	case <-g.connected:
		g.started = time.Since(startedAt)
		return nil
	case <-time.After(patience):
		_ = g.agent.Process.Kill()
		return fmt.Errorf("%s did not connect", strings.Join(command, " "))
	}
}

func (g *gateway) Processes() []int { return []int{g.agent.Process.Pid} }

func (g *gateway) Close() error {
	_ = g.agent.Process.Signal(syscall.SIGTERM)
	late := time.AfterFunc(patience, func() { _ = g.agent.Process.Kill() })
	defer late.Stop()
	defer g.server.Stop()
	return g.agent.Wait()
}

func (g *gateway) serve(stream grpc.ServerStream) error {
	g.stream = stream
	if err := g.send(&wire.Packet{Type: "AgentGatewayConnectOK"}); err != nil {
		return err
	}
	close(g.connected)
	for {
		p := new(wire.Packet)
		if err := stream.RecvMsg(p); err != nil {
			g.lost(err)
			return nil
		}
		g.take(p)
		p.Free()
	}
}

func (g *gateway) lost(err error) {
	g.lock.Lock()
	defer g.lock.Unlock()
	for _, s := range g.sessions {
		s.closed <- err
	}
	g.sessions = nil
}

func (g *gateway) take(p *wire.Packet) {
	g.lock.Lock()
	s := g.sessions[p.Sid()]
	g.lock.Unlock()
	if s == nil {
		return
	}
	switch p.Type {
	case "ClientSessionOpenOK":
		close(s.opened)
	case "ClientWriteStdout", "ClientWriteStderr":
		if s.command.Output != nil {
			s.command.Output(p.Payload)
		}
	case "ClientSessionClose":
		s.end(string(p.Spec["client.exit_code"]), string(p.Payload))
	}
}

func (s *gatewaySession) end(code, message string) {
	g := s.gateway
	g.lock.Lock()
	delete(g.sessions, s.sid)
	killed := s.killed
	g.lock.Unlock()
	var err error
	if !killed {
		err = g.send(wire.Of("AgentSessionClose", s.sid, nil))
		if code != "0" || message != "" {
			err = fmt.Errorf("%v ended with %s: %s", s.command.Args, code, message)
		}
	}
	s.closed <- err
}

func (g *gateway) send(p *wire.Packet) error {
	g.sending.Lock()
	defer g.sending.Unlock()
	return g.stream.SendMsg(p)
}

// Start returns when the session is open and what it runs is on its way.
func (g *gateway) Start(command Command) (Session, error) {
	s, err := g.open(command)
	if err != nil {
		return nil, err
	}
	if !command.Terminal {
		return s, g.send(wire.Of("AgentExecWriteStdin", s.sid, command.Stdin))
	}
	// The first byte only starts it.
	if err := s.Type([]byte("\n")); err != nil {
		return nil, err
	}
	return s, g.send(wire.Of("AgentTerminalResizeTTY", s.sid, []byte("24,80,0,0")))
}

// Answer opens a session and leaves it: the agent decodes, checks and answers, and starts nothing.
func (g *gateway) Answer() (time.Duration, error) {
	startedAt := time.Now()
	s, err := g.open(Command{Args: []string{"true"}})
	took := time.Since(startedAt)
	if err == nil {
		s.Kill()
		g.lock.Lock()
		delete(g.sessions, s.sid)
		g.lock.Unlock()
	}
	return took, err
}

func (g *gateway) open(command Command) (*gatewaySession, error) {
	params, err := paramsOf(command).Encode()
	if err != nil {
		return nil, err
	}
	s := &gatewaySession{gateway: g, command: command, opened: make(chan struct{}), closed: make(chan error, 1)}
	g.lock.Lock()
	g.count++
	s.sid = fmt.Sprintf("00000000-0000-4000-8000-%012d", g.count)
	g.sessions[s.sid] = s
	g.lock.Unlock()
	p := wire.Of("AgentSessionOpen", s.sid, nil)
	p.Spec["gateway.connection_type"] = []byte("command-line")
	p.Spec[wire.ParamsKey] = params
	if err := g.send(p); err != nil {
		return nil, err
	}
	select {
	case <-s.opened:
		return s, nil
	case err := <-s.closed:
		return nil, errors.Join(errors.New("a session was refused"), err)
	}
}

func paramsOf(command Command) wire.Params {
	p := wire.Params{
		ConnectionName: "bench", ConnectionType: "command-line", UserID: "bench", UserEmail: "bench@localhost",
		EnvVars: map[string]any{}, CmdList: command.Args, ClientVerb: "exec", ClientOrigin: "client",
	}
	if command.Capped {
		p.ClientOrigin = "client-api"
	}
	if command.Terminal {
		p.ClientVerb = "connect"
	}
	for name, value := range command.Env {
		p.EnvVars["envvar:"+name] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	return p
}

func (s *gatewaySession) Type(keys []byte) error {
	return s.gateway.send(wire.Of("AgentTerminalWriteStdin", s.sid, keys))
}

func (s *gatewaySession) Kill() {
	s.gateway.lock.Lock()
	s.killed = true
	s.gateway.lock.Unlock()
	_ = s.gateway.send(wire.Of("AgentSessionClose", s.sid, nil))
}

func (s *gatewaySession) Wait() error { return <-s.closed }
