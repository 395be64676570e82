import { EventEmitter } from 'node:events'
import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net'
import { ReadStream } from 'node:tty'
import type { OutputEnd } from '../child.ts'

/** Every running command has two of these, and larger packets are not wanted anyway. */
const PIPE_BUFFER_BYTES = 64 * 1024
/** The kernel gives little more than 4 KiB of a terminal at once. */
const TERMINAL_BUFFER_BYTES = 16 * 1024

/**
 * Our end of a child's output: a pipe, or the master of its terminal. Every read uses the same buffer. With new ones,
 * some 50 MB pile up before the garbage collector looks at memory outside its heap, and reading is slower (measured
 * with 120 MB of output: the agent's peak was 122 MB instead of 108 MB). More is requested from the kernel only by a
 * `read` that finds nothing, so what `read` returned stays intact until then.
 */
export class PipeEnd
  extends EventEmitter<Record<'readable' | 'end' | 'close' | 'error', []>>
  implements OutputEnd
{
  readonly #socket: Socket
  readonly #isTerminal: boolean
  #received: Buffer | undefined

  /** @param fd is closed with it */
  constructor(fd: number, kind: 'pipe' | 'terminal' = 'pipe') {
    super()
    this.#isTerminal = kind === 'terminal'
    const buffer = Buffer.allocUnsafeSlow(this.#isTerminal ? TERMINAL_BUFFER_BYTES : PIPE_BUFFER_BYTES)
    const callback = (length: number): boolean => this.#take(buffer.subarray(0, length))
    const onread: Pick<ConnectOpts, 'onread'> & SocketConstructorOpts = { onread: { buffer, callback } }
    this.#socket = this.#isTerminal
      ? new ReadStream(fd, onread)
      : new Socket({ ...onread, fd, readable: true, writable: false })
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
    this.emit('readable')
    return false
  }
}
