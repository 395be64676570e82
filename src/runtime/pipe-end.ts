import { EventEmitter } from 'node:events'
import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net'
import type { OutputEnd } from './child.ts'

/** Every running command has two of these, and larger packets are not wanted anyway. */
const BUFFER_BYTES = 64 * 1024

/**
 * Our end of a child's output pipe. It reads into one buffer again and again: with a new one for every read some
 * 50 MB of them pile up before the garbage collector looks at memory outside its heap, and it is slower (measured:
 * 120 MB of output, peak of the agent 122 MB and 108 MB). The kernel is asked for more only by the `read` that
 * finds nothing, so what `read` gave is intact until then.
 */
export class PipeEnd
  extends EventEmitter<Record<'readable' | 'end' | 'close' | 'error', []>>
  implements OutputEnd
{
  readonly #socket: Socket
  #received: Buffer | undefined

  /** @param fd is closed with it */
  constructor(fd: number) {
    super()
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
    const callback = (length: number): boolean => this.#take(buffer.subarray(0, length))
    const options: SocketConstructorOpts & ConnectOpts = {
      ...{ fd, readable: true, writable: false },
      onread: { buffer, callback },
    }
    this.#socket = new Socket(options)
    for (const event of ['end', 'close', 'error'] as const) this.#socket.on(event, () => this.emit(event))
  }

  get readableLength(): number {
    return this.#received?.length ?? 0
  }

  get destroyed(): boolean {
    return this.#socket.destroyed
  }

  read(): Buffer | null {
    const received = this.#received
    this.#received = undefined
    if (received === undefined) this.#socket.read(0)
    return received ?? null
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** @returns false: the socket stops reading */
  #take(received: Buffer): boolean {
    this.#received = received
    this.emit('readable')
    return false
  }
}
