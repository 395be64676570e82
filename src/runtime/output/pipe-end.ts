import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net'
import { ReadStream } from 'node:tty'
import type { OutputEnd } from '../child.ts'

/**
 * Where the reads of all ends arrive, one after the other. What came is copied at once and in its size: most commands
 * say little, and memory of this size for each of them makes the garbage collector look through the whole heap, again
 * and again. Larger packets are not wanted anyway.
 */
const arrived = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * Our end of a child's output: a pipe, or the master of its terminal. More is requested from the kernel only by a `read`
 * that finds nothing.
 */
export class PipeEnd implements OutputEnd {
  readonly #socket: Socket
  readonly #isTerminal: boolean
  #received: Buffer | undefined
  #readable: () => void = () => undefined

  /** @param fd is closed with it */
  constructor(fd: number, kind: 'pipe' | 'terminal' = 'pipe') {
    this.#isTerminal = kind === 'terminal'
    const callback = (length: number): boolean => this.#take(Buffer.from(arrived.subarray(0, length)))
    const onread: Pick<ConnectOpts, 'onread'> & SocketConstructorOpts = {
      onread: { buffer: arrived, callback },
    }
    this.#socket = this.#isTerminal
      ? new ReadStream(fd, onread)
      : new Socket({ ...onread, fd, readable: true, writable: false })
  }

  /** There is one listener for `readable`, the last one. */
  on(event: 'readable' | 'end' | 'close' | 'error', listener: () => void): this {
    if (event === 'readable') this.#readable = listener
    else this.#socket.on(event, listener)
    return this
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
    if (received === undefined) this.#more()
    return received ?? null
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /**
   * For a terminal not before the callback of the last read is over. If the handle reads earlier, it takes a short read
   * with a hangup after it for the end. That is right for pipes, but a terminal gives at most 4 KiB at once, and the
   * last output of programs that end quickly would be lost. The kernel itself loses nothing: EIO comes after the last
   * byte.
   */
  #more(): void {
    if (!this.#isTerminal) this.#socket.read(0)
    else
      setImmediate(() => {
        if (this.#received === undefined) this.#socket.read(0)
      })
  }

  /** @returns false: the socket stops reading */
  #take(received: Buffer): boolean {
    this.#received = received
    this.#readable()
    return false
  }
}
