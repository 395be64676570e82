// The peer in Node: the smallest agent with grpc-js and child_process, for the same packets as the peer in
// Go. It connects with HOOP_KEY of its environment, runs the requested commands, and ends with its stream.
// Our agent's cost beyond this peer is our own. The remaining cost is Node's. The peer has no journal,
// redaction or log, and does not end processes that a command has left.
//
// It is CommonJS, and loads modules that the connection does not need only on use, so that it starts as soon
// as Node can.
const { Buffer } = require('node:buffer')
const { spawn } = require('node:child_process')
const process = require('node:process')
const { URL } = require('node:url')
const grpc = require('@grpc/grpc-js')
const { loadSync } = require('@grpc/proto-loader')

const MAX_MESSAGE_BYTES = 17 * 1024 * 1024

const proto = require.resolve('../../proto/transport.proto')
const packages = loadSync(proto, { keepCase: true, defaults: true, bytes: Buffer, objects: true })
const { Transport } = grpc.loadPackageDefinition(packages).protobuf

const key = process.env.HOOP_KEY
const client = new Transport(new URL(key).host, grpc.credentials.createInsecure(), {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
})
const metadata = new grpc.Metadata()
metadata.set('authorization', `Bearer ${key}`)
metadata.set('origin', 'agent')
const stream = client.Connect(metadata)
const sessions = new Map()

stream.on('data', take)
// Node would wait for children that still run.
stream.on('error', () => process.exit(0))
stream.on('end', () => process.exit(0))
process.once('SIGTERM', () => process.exit(0))
process.on('exit', () => sessions.forEach(kill))
send('GatewayKeepAlive')

function send(type, sid, payload = Buffer.alloc(0), more = {}) {
  const spec = sid === undefined ? more : { 'gateway.session_id': Buffer.from(sid), ...more }
  return stream.write({ type, spec, payload })
}

function take({ type, spec, payload }) {
  const sid = String(spec['gateway.session_id'] ?? '')
  const session = sessions.get(sid)
  switch (type) {
    case 'AgentSessionOpen': {
      const { decodeParams } = require('../../dist/wire/params.js')
      sessions.set(sid, { sid, params: decodeParams(spec['agent.connection_params']) })
      const kind = { 'gateway.connection_type': spec['gateway.connection_type'] }
      send('ClientSessionOpenOK', sid, undefined, kind)
      break
    }
    case 'AgentExecWriteStdin':
      if (session) run(session, payload)
      break
    case 'AgentTerminalWriteStdin':
      if (session?.write) session.write(payload)
      else if (session && !session.child) openTerminal(session)
      break
    case 'AgentSessionClose':
      sessions.delete(sid)
      if (session) kill(session)
  }
}

function run(session, script) {
  const child = start(session, ['pipe', 'pipe', 'pipe'])
  child.stdin.on('error', () => undefined)
  child.stdin.end(script)
  for (const [pipe, type] of [
    [child.stdout, 'ClientWriteStdout'],
    [child.stderr, 'ClientWriteStderr'],
  ])
    forward(pipe, session, type)
  child.once('close', (code, signal) => close(session, code, signal))
}

/** Reads only as fast as the gateway reads. Other output stays in the pipe. */
function forward(pipe, { sid }, type) {
  pipe.on('data', (data) => {
    if (send(type, sid, data)) return
    pipe.pause()
    stream.once('drain', () => pipe.resume())
  })
}

function openTerminal(session) {
  const { closeSync, openSync, writeSync } = require('node:fs')
  const { ReadStream } = require('node:tty')
  const { native } = require('node-pty')
  const { master, slave, pty } = native.open(80, 24)
  const theirs = openSync(pty, 'r+')
  const child = start(session, [theirs, theirs, theirs], { TERM: 'xterm-256color' })
  closeSync(theirs)
  closeSync(slave)
  const line = new ReadStream(master)
  // EIO is reported when the program has ended.
  line.on('error', () => undefined)
  forward(line, session, 'ClientWriteStdout')
  session.write = (keys) => writeSync(master, keys)
  child.once('exit', (code, signal) => close(session, code, signal))
}

function start(session, stdio, more = {}) {
  const { cmdList, clientArgs } = session.params
  const [program, ...args] = [...cmdList, ...clientArgs]
  const env = { ...environment(session.params), ...more }
  const child = spawn(program, args, { stdio, env, detached: true })
  child.once('error', (error) =>
    send('ClientSessionClose', session.sid, Buffer.from(error.message), exit(254)),
  )
  session.child = child
  return child
}

/** Returns the environment of a command. It has only PATH, HOME and the variables of the connection. */
function environment({ envVars }) {
  const { PATH, HOME } = process.env
  const own = [...envVars].map(([name, value]) => [
    name.replace(/^envvar:/, ''),
    Buffer.from(value, 'base64').toString(),
  ])
  return { PATH, HOME, ...Object.fromEntries(own) }
}

function close({ sid }, code, signal) {
  send('ClientSessionClose', sid, undefined, exit(signal === null ? code : 254))
}

function exit(code) {
  return { 'client.exit_code': Buffer.from(String(code)) }
}

function kill({ child }) {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The process has ended meanwhile.
  }
}
