import { Metadata } from '@grpc/grpc-js'
import { CODE_TRAILER, type GatewayCode } from '../../../src/wire/gateway-codes.ts'
import type { Packet } from '../../../src/wire/packet.ts'
import { ScriptedFrames } from '../scripted/scripted-frames.ts'
import { ScriptedGateway } from '../scripted/scripted-gateway.ts'

/** Nobody serves its REST interface. */
const nobodysRest = (port: number) => ({
  HOOP_APIURL: 'http://127.0.0.1:9',
  HOOP_GRPCURL: `grpc://127.0.0.1:${port}`,
})
/** Nobody serves gRPC. */
const nobodysStreams = (port: number) => ({
  HOOP_APIURL: `http://127.0.0.1:${port}`,
  HOOP_GRPCURL: 'grpc://127.0.0.1:9',
})

const SID = 'c0ffee00-0000-4000-8000-000000000001'

/** Over gRPC alone, as hoop's gateway, or in frames beside the REST interface, as ours. */
export type Way = 'gRPC' | 'frames'

/** A gateway for one client at a time: it opens every session, and a test says what comes then. */
export class ServedClient implements AsyncDisposable {
  readonly gateway: ScriptedGateway | ScriptedFrames
  /** What opens say of the connection. */
  opened = { 'gateway.connection_type': 'command-line', 'client.command': 'bash' }
  onOpen: () => void = () => this.open()
  onPacket: (packet: Packet) => void = () => undefined

  static async start(way: Way = 'gRPC'): Promise<ServedClient> {
    return new ServedClient(
      await (way === 'gRPC' ? ScriptedGateway.start() : ScriptedFrames.start()),
      way === 'gRPC' ? nobodysRest : nobodysStreams,
    )
  }

  readonly #addresses: (port: number) => Record<string, string>

  private constructor(
    gateway: ScriptedGateway | ScriptedFrames,
    addresses: (port: number) => Record<string, string>,
  ) {
    this.#addresses = addresses
    this.gateway = gateway
    gateway.onStream = () => undefined
    gateway.onPacket = (packet) => {
      if (packet.type === 'AgentSessionOpen') this.onOpen()
      else if (packet.type !== 'GatewayKeepAlive') this.onPacket(packet)
    }
  }

  /** What a client of this gateway has in its environment. */
  get env(): Record<string, string> {
    return { ...this.#addresses(this.gateway.port), HOOP_TOKEN: 'a.user.token' }
  }

  /** Payloads of what the client sent, by the type of the packet. */
  sent(type: string): Buffer[] {
    return this.gateway.received.filter((packet) => packet.type === type).map(({ payload }) => payload)
  }

  open(): void {
    this.send('ClientSessionOpenOK', '', this.opened)
  }

  stdout(data: Uint8Array | string): void {
    this.send('ClientWriteStdout', data)
  }

  stderr(data: Uint8Array | string): void {
    this.send('ClientWriteStderr', data)
  }

  close(exitCode: number, message = ''): void {
    this.send('ClientSessionClose', message, { 'client.exit_code': String(exitCode) })
  }

  /** Ends the stream as gRPC does with an error, the embedded gateway's with a code of its own. */
  fail(code: number, details: string, ownCode?: GatewayCode): void {
    if (this.gateway instanceof ScriptedFrames) {
      if (ownCode === undefined) throw new Error('in frames, every end has a code')
      return this.gateway.fail(ownCode, details)
    }
    const metadata = new Metadata()
    if (ownCode !== undefined) metadata.set(CODE_TRAILER, ownCode)
    this.gateway.stream?.emit('error', Object.assign(new Error(details), { code, details, metadata }))
  }

  send(type: string, payload: Uint8Array | string, spec: Record<string, string> = {}): void {
    this.gateway.send(type, { 'gateway.session_id': SID, ...spec }, payload)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]()
  }
}
