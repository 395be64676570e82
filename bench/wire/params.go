package wire

import (
	"bytes"
	"encoding/gob"
)

// ParamsKey is where an opening has its parameters.
const ParamsKey = "agent.connection_params"

// Params says what a session runs; gob goes by the names, and what stands empty is not sent.
type Params struct {
	ConnectionName string
	ConnectionType string
	UserID         string
	UserEmail      string
	EnvVars        map[string]any
	CmdList        []string
	ClientArgs     []string
	ClientVerb     string
	ClientOrigin   string
}

// Encode is for ParamsKey.
func (p Params) Encode() ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(p)
	return b.Bytes(), err
}

// DecodeParams reads what Encode wrote.
func DecodeParams(data []byte) (p Params, err error) {
	err = gob.NewDecoder(bytes.NewReader(data)).Decode(&p)
	return p, err
}
