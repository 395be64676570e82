// The minimum agent. With a terminal (TERMINAL=1), every key is written to it, and its output is sent. Without a
// terminal, every key is sent back as output immediately. The remaining cost is gRPC over the loopback, twice, and
// our packets.
import { Buffer } from 'node:buffer'
import process from 'node:process'
import { URL } from 'node:url'
import { credentials, Metadata } from '@grpc/grpc-js'
import { encodeAgentMessage } from '../../dist/wire/messages/from-agent.js'
import { decodeGatewayPacket } from '../../dist/wire/messages/from-gateway.js'
import { channelOptions, TransportClient } from '../../dist/wire/service.js'
import { openTerminal } from './local-terminal.mjs'

const { host } = new URL(process.env.HOOP_KEY)
const client = new TransportClient(host, credentials.createInsecure(), channelOptions)
const metadata = new Metadata()
metadata.set('authorization', `Bearer ${process.env.HOOP_KEY}`)
const stream = client.Connect(metadata)
const send = (message) => stream.write(encodeAgentMessage(message))

let begun = false
let type
let end = () => undefined
stream.on('data', (packet) => {
  const message = decodeGatewayPacket(packet)
  const { kind, sid } = message
  const show = (data) => send({ kind: 'stdout', sid, data })
  if (kind === 'open') {
    send({ kind: 'opened', sid, connectionType: 'command-line', requestPort: '', command: 'mirror' })
    if (process.env.TERMINAL === '1') ({ type, end } = openTerminal(message.params.cmdList, show))
  }
  if (kind === 'input' && begun) (type ?? show)(message.data)
  if (kind === 'input' && !begun) {
    begun = true
    if (type === undefined) show(Buffer.from('ready'))
  }
  if (kind === 'close') {
    end()
    send({ kind: 'closed', sid, exitCode: 0, message: '', truncatedBytes: 0 })
  }
})
stream.on('error', () => process.exit(0))
process.once('SIGTERM', () => process.exit(0))
