import { Metadata } from '@grpc/grpc-js'
import { CODE_TRAILER } from '../../../src/wire/gateway-codes.ts'
import type { Packet } from '../../../src/wire/packet.ts'
import { ScriptedGateway } from '../scripted/scripted-gateway.ts'

const SID = 'c0ffee00-0000-4000-8000-000000000001'

/** A gateway for one client at a time: it opens every session, and a test says what comes then. */
export class ServedClient implements AsyncDisposable {
  readonly gateway: ScriptedGateway
  /** What opens say of the connection. */
  opened = { 'gateway.connection_type': 'command-line', 'client.command': 'bash' }
  onOpen: () => void = () => this.open()
  onPacket: (packet: Packet) => void = () => undefined

  static async start(): Promise<ServedClient> {
    return new ServedClient(await ScriptedGateway.start())
  }

  private constructor(gateway: ScriptedGateway) {
    this.gateway = gateway
    gateway.onStream = () => undefined
    gateway.onPacket = (packet) => {
      if (packet.type === 'AgentSessionOpen') this.onOpen()
      else if (packet.type !== 'GatewayKeepAlive') this.onPacket(packet)
    }
  }

  /** What a client of this gateway has in its environment; nobody serves its REST interface. */
  get env(): Record<string, string> {
    return {
      HOOP_APIURL: 'http://127.0.0.1:9',
      HOOP_GRPCURL: `grpc://127.0.0.1:${this.gateway.port}`,
      HOOP_TOKEN: 'a.user.token',
    }
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
  fail(code: number, details: string, ownCode?: string): void {
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
