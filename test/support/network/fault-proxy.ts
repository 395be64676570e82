import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from '../wait.ts'
import { freePort } from './free-port.ts'

interface Pair {
  readonly client: Socket
  readonly target: Socket
}

type Direction = 'to-client' | 'to-target'

/** TCP between an agent and its gateway, that can be made to behave as networks do. On 127.0.0.1. */
export class FaultProxy implements AsyncDisposable {
  /** Connections that were made since the start. */
  accepted = 0
  /** Each piece waits for so long before it is passed on. */
  delayMs = 0
  /** Undefined is without limit; in each direction of each connection. */
  bytesPerSecond: number | undefined
  /** Bytes that were passed on since the start. */
  readonly passed = { 'to-client': 0, 'to-target': 0 }
  #targetPort: number
  readonly #pairs = new Set<Pair>()
  #server: Server | undefined
  #port = 0
  /** While nothing passes: settles when it does again. */
  #healed: Promise<void> | undefined
  #heal: () => void = () => undefined
  #cut: { readonly direction: Direction; bytes: number } | undefined

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort)
    await proxy.open()
    return proxy
  }

  private constructor(targetPort: number) {
    this.#targetPort = targetPort
  }

  get port(): number {
    return this.#port
  }

  /** For connections from now on: the gateway was started again, on another port. */
  set targetPort(port: number) {
    this.#targetPort = port
  }

  /** Connections that stand. */
  get connections(): number {
    return this.#pairs.size
  }

  /** Takes connections, on the same port as before. */
  async open(): Promise<void> {
    if (this.#port === 0) this.#port = await freePort()
    const server = createServer((client) => this.#join(client))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.#port, '127.0.0.1', resolve)
    })
  }

  /** Refuses connections from now on; those that stand are left. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    // Not awaited: it would wait for the connections that stand.
    server?.close()
    await waitFor(() => server?.listening !== true)
  }

  /** Nothing passes any more, no byte and no end, and nobody is told; new connections are taken and left unanswered. */
  blackHole(): void {
    this.#healed = new Promise((resolve) => (this.#heal = resolve))
  }

  /** What was held back passes on. */
  heal(): void {
    this.#healed = undefined
    this.#heal()
  }

  /** RST to both sides of every connection. */
  reset(): void {
    for (const { client, target } of this.#pairs) {
      client.resetAndDestroy()
      target.resetAndDestroy()
    }
  }

  /** The gateway sees its connections end; the agent hears nothing of it: a half-open connection. */
  endTargets(): void {
    for (const { target } of this.#pairs) target.resetAndDestroy()
  }

  /** Passes so many more bytes on in a direction, then resets that connection. */
  cutAfter(direction: Direction, bytes: number): void {
    this.#cut = { direction, bytes }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse()
    this.heal()
    for (const { client, target } of this.#pairs) {
      client.destroy()
      target.destroy()
    }
    await waitFor(() => this.#pairs.size === 0)
  }

  #join(client: Socket): void {
    this.accepted += 1
    const pair = { client, target: connect({ host: '127.0.0.1', port: this.#targetPort }) }
    this.#pairs.add(pair)
    void this.#pass(client, pair.target, 'to-target', pair)
    void this.#pass(pair.target, client, 'to-client', pair)
    for (const side of [client, pair.target]) side.once('close', () => void this.#part(pair))
  }

  async #part(pair: Pair): Promise<void> {
    await this.#healed
    pair.client.destroy()
    pair.target.destroy()
    this.#pairs.delete(pair)
  }

  async #pass(from: Socket, to: Socket, direction: Direction, pair: Pair): Promise<void> {
    from.setNoDelay().on('error', () => undefined)
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        if (this.delayMs > 0) await delay(this.delayMs)
        if (this.bytesPerSecond !== undefined) await delay((chunk.length / this.bytesPerSecond) * 1000)
        await this.#healed
        this.#write(chunk, to, direction, pair)
        if (to.writableNeedDrain)
          await new Promise((resolve) => to.once('drain', resolve).once('close', resolve))
      }
      await this.#healed
      to.end()
    } catch {
      // One side was reset; its close is passed on.
    }
  }

  #write(chunk: Buffer, to: Socket, direction: Direction, { client, target }: Pair): void {
    const cut = this.#cut?.direction === direction ? this.#cut : undefined
    const part = chunk.subarray(0, cut?.bytes)
    this.passed[direction] += part.length
    to.write(part)
    if (cut === undefined) return
    cut.bytes -= part.length
    if (cut.bytes > 0) return
    this.#cut = undefined
    // What was written is to arrive first: a reset would overtake it.
    to.end(() => {
      client.resetAndDestroy()
      target.resetAndDestroy()
    })
  }
}
