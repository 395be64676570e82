// Package wire has the packets of proto/transport.proto and the opening of a session, for driver and peer alike.
package wire

import (
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// MaxMessage is the largest message that either side takes.
const MaxMessage = 17 << 20

// Method and Stream name the one call that agents make.
const Method = "/protobuf.Transport/Connect"

// Stream is a conversation in both directions.
var Stream = grpc.StreamDesc{StreamName: "Connect", ServerStreams: true, ClientStreams: true}

// Numbers of the fields of Packet, and of an entry of its map.
const (
	fieldType, fieldSpec, fieldPayload = 2, 3, 4
	entryKey, entryValue               = 1, 2
)

// SessionID is the key of Spec that every packet of a session has.
const SessionID = "gateway.session_id"

// Packet is what lies on the stream. What was received is valid until Free.
type Packet struct {
	Type    string
	Spec    map[string][]byte
	Payload []byte
	buffer  mem.Buffer
}

// Of makes a packet of a session.
func Of(kind, sid string, payload []byte) *Packet {
	return &Packet{Type: kind, Spec: map[string][]byte{SessionID: []byte(sid)}, Payload: payload}
}

// Sid is the session that it belongs to.
func (p *Packet) Sid() string { return string(p.Spec[SessionID]) }

// Free gives back what was received.
func (p *Packet) Free() {
	if p.buffer != nil {
		p.buffer.Free()
	}
}

// Codec is handed to gRPC, for both ends.
type Codec struct{}

// Name is the content type's, as of any protobuf.
func (Codec) Name() string { return "proto" }

// Marshal is for a *Packet.
func (Codec) Marshal(v any) (mem.BufferSlice, error) {
	p := v.(*Packet)
	b := make([]byte, 0, 128+len(p.Payload))
	b = protowire.AppendString(protowire.AppendTag(b, fieldType, protowire.BytesType), p.Type)
	for key, value := range p.Spec {
		entry := protowire.AppendString(protowire.AppendTag(nil, entryKey, protowire.BytesType), key)
		entry = protowire.AppendBytes(protowire.AppendTag(entry, entryValue, protowire.BytesType), value)
		b = protowire.AppendBytes(protowire.AppendTag(b, fieldSpec, protowire.BytesType), entry)
	}
	if len(p.Payload) > 0 {
		b = protowire.AppendBytes(protowire.AppendTag(b, fieldPayload, protowire.BytesType), p.Payload)
	}
	return mem.BufferSlice{mem.SliceBuffer(b)}, nil
}

// Unmarshal is for a *Packet, which keeps the buffer.
func (Codec) Unmarshal(data mem.BufferSlice, v any) error {
	p := v.(*Packet)
	*p = Packet{Spec: map[string][]byte{}, buffer: data.MaterializeToBuffer(mem.DefaultBufferPool())}
	return fields(p.buffer.ReadOnlyData(), func(number protowire.Number, value []byte) error {
		switch number {
		case fieldType:
			p.Type = string(value)
		case fieldSpec:
			return p.addEntry(value)
		case fieldPayload:
			p.Payload = value
		}
		return nil
	})
}

func (p *Packet) addEntry(entry []byte) error {
	var key string
	var of []byte
	err := fields(entry, func(number protowire.Number, value []byte) error {
		if number == entryKey {
			key = string(value)
		} else {
			of = value
		}
		return nil
	})
	p.Spec[key] = of
	return err
}

// Every field of these messages is text or bytes.
func fields(b []byte, take func(protowire.Number, []byte) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 || kind != protowire.BytesType {
			return fmt.Errorf("field %d is of kind %d", number, kind)
		}
		value, size := protowire.ConsumeBytes(b[n:])
		if size < 0 {
			return protowire.ParseError(size)
		}
		if err := take(number, value); err != nil {
			return err
		}
		b = b[n+size:]
	}
	return nil
}
