import {
  credentials,
  Metadata,
  status as codes,
  type ClientDuplexStream,
  type StatusObject,
} from '@grpc/grpc-js'
import {
  decodeToClient,
  encodeClientMessage,
  type ClientMessage,
} from '../../../src/wire/messages/from-client.ts'
import type { ClosedMessage } from '../../../src/wire/messages/message.ts'
import type { Packet } from '../../../src/wire/packet.ts'
import { channelOptions, TransportClient } from '../../../src/wire/service.ts'
import { found, waitFor } from '../wait.ts'

type Sent = Exclude<ClientMessage, { kind: 'unsupported' }>

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | undefined
  readonly message: string
}

export const userToken = 'a-token-for-tests-0123456789'

/** A command line client that does nothing by itself: a test sends packets and looks at what comes. Real gRPC. */
export class ScriptedClient implements AsyncDisposable {
  readonly received: Packet[] = []
  /** How the stream ended. */
  status: StatusObject | undefined
  /** Sees every packet as it comes; false keeps it out of `received`. */
  onPacket: (packet: Packet) => boolean = () => true
  readonly #client: TransportClient
  readonly #call: ClientDuplexStream<Packet, Packet>

  /** @param beside whose TCP connection is used: what is sent on one arrives in its order */
  constructor(grpc: string, metadata: Record<string, string>, beside?: ScriptedClient) {
    this.#client =
      beside === undefined
        ? new TransportClient(
            grpc.replace('grpc://', ''),
            credentials.createInsecure(),
            // A connection of its own, as every command line has.
            { ...channelOptions, 'grpc.use_local_subchannel_pool': 1 },
          )
        : beside.#client
    const values = new Metadata()
    const all = { origin: 'client', authorization: `Bearer ${userToken}`, ...metadata }
    for (const [key, value] of Object.entries(all)) values.set(key, value)
    this.#call = this.#client.Connect(values)
    this.#call.on('data', (packet: Packet) => {
      if (this.onPacket(packet)) this.received.push(packet)
    })
    this.#call.on('error', () => undefined)
    // What was received before an orderly end is read first.
    const read = new Promise((resolve) => this.#call.once('end', resolve))
    this.#call.on('status', (status) => {
      if (status.code !== codes.OK) this.status = status
      else void read.then(() => (this.status = status))
    })
  }

  send(message: Sent): void {
    this.sendPacket(encodeClientMessage(message))
  }

  sendPacket(packet: Packet, taken: () => void = () => undefined): void {
    this.#call.write(packet, taken)
  }

  open(input = '', more: Partial<Extract<Sent, { kind: 'open' }>> = {}): void {
    this.send({ kind: 'open', input: Buffer.from(input), clientArgs: [], clientEnvVars: new Map(), ...more })
  }

  /** What hoop's command line does for `exec`: opens, waits, sends the script. @param withinMs for the whole of it */
  async exec(
    script: string,
    more: Partial<Extract<Sent, { kind: 'open' }>> = {},
    withinMs?: number,
  ): Promise<Ran> {
    this.open(script, more)
    await this.packet('ClientSessionOpenOK')
    this.send({ kind: 'exec', stdin: Buffer.from(script) })
    return this.ended(withinMs)
  }

  /** Opens a terminal: the first byte only starts it (protocol.md 4.3). */
  async connect(size = { rows: 30, cols: 100 }): Promise<void> {
    this.open()
    await this.packet('ClientSessionOpenOK')
    this.type('\n')
    this.send({ kind: 'resize', ...size })
  }

  type(keys: string): void {
    this.send({ kind: 'input', data: Buffer.from(keys) })
  }

  /** The first packet of a type. */
  packet(type: string): Promise<Packet> {
    return found(() => {
      const packet = this.received.find((one) => one.type === type)
      if (packet === undefined && this.status !== undefined)
        throw new Error(`the stream ended without ${type}: ${this.status.code} ${this.status.details}`)
      return packet
    })
  }

  async sid(): Promise<string> {
    return String((await this.packet('ClientSessionOpenOK')).spec['gateway.session_id'])
  }

  /** Settles when the terminal shows it. */
  async shows(text: string | RegExp): Promise<void> {
    await waitFor(() => {
      const shown = this.output('stdout')
      return typeof text === 'string' ? shown.includes(text) : text.test(shown)
    }, 10_000)
  }

  output(stream: 'stdout' | 'stderr'): string {
    const type = stream === 'stdout' ? 'ClientWriteStdout' : 'ClientWriteStderr'
    return Buffer.concat(
      this.received.filter((one) => one.type === type).map(({ payload }) => payload),
    ).toString()
  }

  /** Settles when the stream is over, with what came by it. */
  async ended(withinMs?: number): Promise<Ran> {
    await this.over(withinMs)
    const closed = this.received
      .map(decodeToClient)
      .find((one): one is ClosedMessage => one.kind === 'closed')
    return {
      stdout: this.output('stdout'),
      stderr: this.output('stderr'),
      code: closed?.exitCode,
      message: closed?.message ?? '',
    }
  }

  async over(withinMs = 20_000): Promise<StatusObject> {
    return found(() => this.status, withinMs)
  }

  /** Reads no more until `resume`. */
  pause(): void {
    this.#call.pause()
  }

  resume(): void {
    this.#call.resume()
  }

  halfClose(): void {
    this.#call.end()
  }

  cancel(): void {
    this.#call.cancel()
  }

  /** Goes away without a word. */
  async leave(): Promise<void> {
    this.cancel()
    await waitFor(() => this.status !== undefined)
    this.#client.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave()
  }
}
