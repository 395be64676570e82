import { type ConnectOpts, Socket, type SocketConstructorOpts } from 'node:net'
import { ReadStream } from 'node:tty'
import { bufferPassed } from '../basics/young-generation.ts'
import type { WindowSize } from '../basics/window-size.ts'
import { DRAIN_MS } from './ending/kill-ladder.ts'
import type { ExitStatus } from './exit-status.ts'

/** A command as bytes: arguments and environment need not be valid UTF-8. */
export interface Command {
  /** Program and arguments, unquoted, without NUL. */
  readonly argv: readonly Buffer[]
  /** `NAME=value` entries: the whole environment of the child. */
  readonly environment: readonly Buffer[]
  /** A list of folders, like $PATH, in which the program is looked up. */
  readonly path: string
  /** The working folder as an absolute path. */
  readonly cwd: string
  /** All input of the child, followed by end of file. */
  readonly stdin: Uint8Array
}

export interface StartOptions {
  /** Mark by which the command's processes are recognised (`ending/process-table.ts`). */
  readonly mark?: bigint | undefined
  /** If it aborts while the command still waits for earlier starts, the command is not started. */
  readonly signal?: AbortSignal | undefined
  /**
   * If it is true, this thread starts the command and blocks until the start is done. The caller then has the
   * pid in the tick of the start, before the command can do much.
   */
  readonly onThisThread?: boolean | undefined
}

interface TerminalControl {
  write(data: Uint8Array): void
  /** Bytes that are not yet written to the terminal. */
  unwritten(): number
  resize(size: WindowSize): void
}

/** The part of a stream that an execution needs. Any Readable fits. */
interface OutputEnd {
  /**
   * Returns all bytes that have arrived, in memory that is not shared. Returns null if no bytes have arrived.
   */
  read(): Buffer | null
  /** Bytes that have arrived and were not read yet. */
  readonly readableLength: number
  on(event: 'readable' | 'end' | 'close' | 'error', listener: () => void): this
  destroy(): void
}

/** A started process. The execution owns the two streams. */
export interface Child {
  /**
   * The pid is also the id of the process group and the session. Undefined if the process could not be
   * started.
   */
  readonly pid: number | undefined
  readonly stdout: OutputEnd
  readonly stderr: OutputEnd
  /** Settles when the process is reaped. After that its pid may belong to another process. */
  readonly reaped: Promise<unknown>
  /** Settles when the process itself has ended, even if others still hold its pipes. Never rejects. */
  readonly exited: Promise<ExitStatus>
  /**
   * Number of bytes in the pipes now. They are output of the child and must be delivered. For a terminal, the
   * number is also above 0 while the end of the output was not read.
   */
  unread(): number
  /** Only for a child on a terminal. */
  readonly terminal?: TerminalControl
}

/** A piece of output, at most 64 KiB. Its memory is not shared, and nothing changes its bytes. */
export interface Chunk {
  readonly stream: 'stdout' | 'stderr'
  readonly data: Buffer
}

/**
 * Size of a chunk in bytes. The gateway sometimes loses a close directly after a larger packet (protocol.md
 * 4.1).
 */
const MAX_CHUNK_BYTES = 64 * 1024
/**
 * Milliseconds of silence that end the output after the child's exit. DRAIN_MS ends the output, too. Without
 * these limits, a background process that holds the pipes could keep the output open for ever.
 */
const IDLE_MS = 250

const ignore = (): void => undefined

interface Source {
  readonly stream: 'stdout' | 'stderr'
  readonly from: OutputEnd
  open: boolean
}

/**
 * Reads stdout and stderr of one child, in the order in which they became readable. Nothing is read before
 * the reader asks, so the pipes fill and the child waits. Output that the child wrote before its exit is
 * delivered completely, even to a slow reader. Only output of other processes that hold the pipes is cut off.
 */
export class ChildOutput implements AsyncIterable<Chunk> {
  /**
   * Settles when the iteration is over: at end of file, after the limits of `drain`, or when the reader has
   * left.
   */
  readonly ended: Promise<void>
  readonly #child: Child
  readonly #sources: readonly Source[]
  #markEnded!: () => void
  #wake: () => void = ignore
  #exited = false
  /** Milliseconds spent waiting for output since the exit. The time that the reader needs does not count. */
  #waitedMs = 0
  /** Whether the last wait ended because its timer ran out, and not because bytes arrived. */
  #silent = false
  /** Bytes that the child had written at its exit and that are not delivered yet. */
  #owed = 0

  constructor(child: Child) {
    this.#child = child
    this.ended = new Promise((resolve) => (this.#markEnded = resolve))
    this.#sources = [
      { stream: 'stdout', from: child.stdout, open: true },
      { stream: 'stderr', from: child.stderr, open: true },
    ]
    for (const source of this.#sources) this.#listen(source)
  }

  /** Limits the time of all further waits. Call when the child has exited. */
  drain(): void {
    this.#exited = true
    this.#owed = this.#child.unread() + this.#sources.reduce((sum, { from }) => sum + from.readableLength, 0)
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Chunk, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#take()
        if (chunk !== undefined) for (const piece of split(chunk)) yield piece
        else if (this.#finished()) return
        else await this.#waitForMore()
      }
    } finally {
      this.leave()
    }
  }

  #listen(source: Source): void {
    const closed = () => {
      source.open = false
      this.#wake()
    }
    source.from.on('readable', () => this.#wake())
    source.from.on('end', closed).on('close', closed).on('error', closed)
  }

  #take(): Chunk | undefined {
    for (const { stream, from } of this.#sources) {
      const data = from.read()
      if (data !== null) {
        this.#owed -= data.length
        return { stream, data }
      }
    }
    return undefined
  }

  #finished(): boolean {
    if (this.#sources.every(({ open }) => !open)) return true
    if (!this.#exited) return false
    // After a long turn of the event loop, the timer may run before Node notices new bytes. So `unread` asks
    // the pipes. `#owed` cannot replace `unread`: if a background process has read some of the child's bytes,
    // `#owed` never becomes 0.
    if (this.#silent && this.#child.unread() === 0) return true
    return this.#owed <= 0 && this.#waitedMs >= DRAIN_MS
  }

  async #waitForMore(): Promise<void> {
    this.#silent = false
    const from = performance.now()
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      // `resolve` is called only once, because resolving a promise again costs as much as a packet
      // (`multipleResolves`).
      this.#wake = () => {
        this.#wake = ignore
        resolve()
      }
      if (!this.#exited) return
      timer = setTimeout(() => {
        this.#silent = true
        this.#wake()
      }, IDLE_MS)
    })
    clearTimeout(timer)
    if (this.#exited) this.#waitedMs += performance.now() - from
  }

  /** Closes the streams without reading the remaining output. */
  leave(): void {
    for (const { from } of this.#sources) from.destroy()
    this.#markEnded()
    this.#markEnded = ignore
  }
}

export function* split({ stream, data }: Chunk): Generator<Chunk> {
  for (let at = 0; at < data.length; at += MAX_CHUNK_BYTES) {
    yield { stream, data: data.subarray(at, at + MAX_CHUNK_BYTES) }
  }
}

/**
 * One buffer for the reads of all pipes. The bytes are copied out of it at once. With a buffer of 64 KiB for
 * each command, the garbage collector would scan the whole heap again and again.
 */
const arrived = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * Our end of a pipe, or the master of a terminal. Requests more from the kernel only when `read` finds no
 * bytes.
 */
export class PipeEnd implements OutputEnd {
  readonly #socket: Socket
  readonly #isTerminal: boolean
  #received: Buffer | undefined
  #readable: () => void = () => undefined

  /** @param fd the descriptor, which is closed together with this end */
  constructor(fd: number, kind: 'pipe' | 'terminal' = 'pipe') {
    this.#isTerminal = kind === 'terminal'
    const callback = (length: number): boolean => this.#receive(Buffer.from(arrived.subarray(0, length)))
    const onread: Pick<ConnectOpts, 'onread'> & SocketConstructorOpts = {
      onread: { buffer: arrived, callback },
    }
    this.#socket = this.#isTerminal
      ? new ReadStream(fd, onread)
      : new Socket({ ...onread, fd, readable: true, writable: false })
  }

  /** `readable` has only one listener, the last one set. */
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
    if (received === undefined) this.#request()
    return received ?? null
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /**
   * Requests more bytes. For a terminal, the request waits until the callback of the last read is over. An
   * earlier request would take a short read with a hangup for the end of the output. A terminal returns at
   * most 4 KiB per read, so the last output of short programs would be lost. The kernel loses no output,
   * because EIO follows the last byte.
   */
  #request(): void {
    if (!this.#isTerminal) this.#socket.read(0)
    else
      setImmediate(() => {
        if (this.#received === undefined) this.#socket.read(0)
      })
  }

  /** Returns false, so that the socket stops reading. */
  #receive(received: Buffer): boolean {
    bufferPassed(received.length)
    this.#received = received
    this.#readable()
    return false
  }
}
