import { closeSync, writeSync } from 'node:fs'
import { Readable } from 'node:stream'
import { setImmediate as otherWork, setTimeout as delay } from 'node:timers/promises'
import * as nodePty from 'node-pty'
import { errnoOf } from '../basics/errors.ts'
import type { WindowSize } from '../basics/window-size.ts'
import { type Child, PipeEnd } from './child.ts'
import { type ExitStatus, SpawnError } from './exit-status.ts'
import { bytesInPipe, closeOnExec, editUtf8, isHungUp } from './linux/posix.ts'

/**
 * Milliseconds until the next try to write to a full terminal. Most programs read soon, but some never read.
 */
const FIRST_RETRY_MS = 1
const MAX_RETRY_MS = 32
/**
 * Size of one write in bytes. A terminal in line mode accepts any number of bytes, and drops most of them.
 */
const AT_ONCE_BYTES = 64 * 1024
/** Approximate memory of a piece of input besides its bytes. A piece may be a single key. */
const PIECE_OVERHEAD_BYTES = 256

/**
 * Writes to a terminal's master through a non-blocking descriptor. libuv falls back to blocking writes on a
 * master. With blocking writes, a program that does not read its terminal would stop the whole agent.
 */
export class TerminalInput {
  readonly #fd: number
  readonly #queue: Uint8Array[] = []
  #bytes = 0
  #writing = false
  readonly #isClosed: () => boolean

  /** @param isClosed returns true as soon as the descriptor may belong to another file */
  constructor(fd: number, isClosed: () => boolean) {
    this.#fd = fd
    this.#isClosed = isClosed
  }

  /** Approximate memory of the input that waits. */
  get unwritten(): number {
    return this.#bytes + this.#queue.length * PIECE_OVERHEAD_BYTES
  }

  /**
   * Writes the bytes. If the terminal does not accept all bytes now, the rest is written later. The caller
   * must not change the bytes.
   */
  write(data: Uint8Array): void {
    if (this.#isClosed() || data.length === 0) return
    this.#queue.push(data)
    this.#bytes += data.length
    if (!this.#writing) void this.#drain()
  }

  async #drain(): Promise<void> {
    this.#writing = true
    let retryMs = FIRST_RETRY_MS
    for (let data = this.#queue[0]; data !== undefined; data = this.#queue[0]) {
      const taken = this.#isClosed() ? data.length : this.#writeOnce(data)
      this.#took(data, taken)
      if (taken === 0) await delay(retryMs)
      else if (this.#bytes > 0) await otherWork()
      retryMs = taken > 0 ? FIRST_RETRY_MS : Math.min(retryMs * 2, MAX_RETRY_MS)
    }
    this.#writing = false
  }

  #took(data: Uint8Array, taken: number): void {
    this.#bytes -= taken
    if (taken === data.length) this.#queue.shift()
    else if (taken > 0) this.#queue[0] = data.subarray(taken)
  }

  /**
   * Returns the number of bytes that need no further write: 0 if the terminal is full, all bytes if the
   * program has ended.
   */
  #writeOnce(data: Uint8Array): number {
    try {
      return writeSync(this.#fd, data, 0, Math.min(data.length, AT_ONCE_BYTES))
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return 0
      return data.length
    }
  }
}

/**
 * Functions of node-pty that open and resize a terminal. node-pty's `native` is not documented, so
 * test/runtime/pty.test.ts checks it. Our engine starts the program and reads its output, because node-pty
 * loses the last output of short programs (its issue 72).
 */
interface NativePty {
  open(cols: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string }
  resize(master: number, cols: number, rows: number, widthPixels: number, heightPixels: number): void
}

const native = (nodePty as unknown as { readonly native: NativePty }).native

interface OpenTerminal {
  /** Path of the terminal that becomes stdin, stdout and stderr of the program. */
  readonly path: string
  /** Closes both ends of the terminal. For a terminal on which no program was started. */
  discard(): void
  /** Returns the child. Its stdout is the output of the terminal, and its stderr is empty. */
  started(pid: number, exited: Promise<ExitStatus>): Child
}

/** @throws SpawnError if the system has no terminal or descriptor left */
export function openTerminal(size: WindowSize): OpenTerminal {
  const { master, slave, pty } = open(size)
  // Without this, every program that is started later could read and write this terminal.
  closeOnExec(master)
  closeOnExec(slave)
  editUtf8(slave)
  return {
    path: pty,
    discard: () => {
      closeSync(master)
      closeSync(slave)
    },
    started: (pid, exited) => terminalChild(pid, exited, master, slave),
  }
}

function open({ cols, rows }: WindowSize): ReturnType<NativePty['open']> {
  try {
    return native.open(cols, rows)
  } catch (error) {
    // node-pty does not distinguish these two causes.
    const reason = `${(error as Error).message} Either the agent has no file descriptor left (ulimit -n), or the system has no terminal left (kernel.pty.max)`
    throw new SpawnError('EMFILE', `no terminal could be opened: ${reason}`)
  }
}

function terminalChild(pid: number, reaped: Promise<ExitStatus>, master: number, slave: number): Child {
  const line = new PipeEnd(master, 'terminal')
  const input = new TerminalInput(master, () => line.destroyed)
  const exited = reaped.then((status) => {
    // The slave is closed only after the program's end. The output ends when the last slave is closed, and a
    // program may close its terminal and open it again.
    closeSync(slave)
    return status
  })
  return {
    pid,
    stdout: line,
    stderr: Readable.from([]),
    reaped,
    exited,
    unread: () => (line.destroyed ? 0 : unreadBytes(master)),
    terminal: {
      write: (data) => input.write(data),
      unwritten: () => input.unwritten,
      resize: ({ cols, rows }) => {
        if (!line.destroyed) native.resize(master, cols, rows, 0, 0)
      },
    },
  }
}

/**
 * Returns the number of unread bytes. The end of the output counts as one byte, because the master has to be
 * read after the hangup, even if the last bytes arrive late.
 */
function unreadBytes(master: number): number {
  return Number(isHungUp(master)) + bytesInPipe(master)
}
