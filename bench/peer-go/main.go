// The peer: the smallest agent that Go's standard library gives, as an honest one is written. `peer-go` connects with
// the HOOP_KEY of its environment, runs what it is asked to, and ends with its stream.
package main

import (
	"context"
	"encoding/base64"
	"log"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"runbook-agent/bench/wire"
)

type agent struct {
	stream   grpc.ClientStream
	sending  sync.Mutex
	lock     sync.Mutex
	sessions map[string]*session
}

func main() {
	defer ballast()()
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	key := os.Getenv("HOOP_KEY")
	at, err := url.Parse(key)
	if err != nil {
		log.Fatal("HOOP_KEY is not a URL")
	}
	conn, err := grpc.NewClient("passthrough:///"+at.Host, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(wire.Codec{}), grpc.MaxCallRecvMsgSize(wire.MaxMessage)))
	if err != nil {
		log.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(stop, "authorization", "Bearer "+key, "origin", "agent")
	stream, err := conn.NewStream(ctx, &wire.Stream, wire.Method)
	if err != nil {
		log.Fatal(err)
	}
	(&agent{stream: stream, sessions: map[string]*session{}}).serve()
}

func (a *agent) serve() {
	a.send(&wire.Packet{Type: "GatewayKeepAlive"})
	for {
		p := new(wire.Packet)
		if a.stream.RecvMsg(p) != nil {
			break
		}
		a.take(p)
	}
	a.lock.Lock()
	defer a.lock.Unlock()
	for _, s := range a.sessions {
		s.kill()
	}
}

func (a *agent) take(p *wire.Packet) {
	sid := p.Sid()
	if p.Type == "AgentSessionOpen" {
		params, err := wire.DecodeParams(p.Spec[wire.ParamsKey])
		if err != nil {
			log.Fatal(err)
		}
		a.lock.Lock()
		a.sessions[sid] = &session{agent: a, sid: sid, params: params}
		a.lock.Unlock()
		ok := wire.Of("ClientSessionOpenOK", sid, nil)
		ok.Spec["gateway.connection_type"] = p.Spec["gateway.connection_type"]
		a.send(ok)
		return
	}
	a.lock.Lock()
	s := a.sessions[sid]
	if p.Type == "AgentSessionClose" {
		delete(a.sessions, sid)
	}
	a.lock.Unlock()
	if s != nil {
		s.take(p)
	}
}

func (a *agent) send(p *wire.Packet) {
	a.sending.Lock()
	defer a.sending.Unlock()
	_ = a.stream.SendMsg(p) // its end is seen by serve
}

// The environment of a command is closed: PATH, HOME, and what its connection says.
func environment(params wire.Params) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for key, value := range params.EnvVars {
		text, _ := base64.StdEncoding.DecodeString(value.(string))
		env = append(env, strings.TrimPrefix(key, "envvar:")+"="+string(text))
	}
	return env
}
