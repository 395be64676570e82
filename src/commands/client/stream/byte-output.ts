import { write } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { isatty } from 'node:tty'
import { promisify } from 'node:util'
import { exitCodes, Failure } from '../../failure.ts'

const writeSome = promisify(write)

/** How long a full descriptor is left alone that somebody has made non-blocking. */
const RETRY_MS = 2

/** Whoever read the output has gone, as `head` does: no error, but there is nobody left to write for. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone'
}

/**
 * Bytes to a descriptor of this process, in order. Not through `process.stdout`: it writes to pipes and terminals on
 * the main thread, and while a reader is slow (`less`, Ctrl-S) no signal, key or packet would be looked at.
 */
export class ByteOutput {
  readonly fd: number
  #turn: Promise<void> = Promise.resolve()
  #writing = 0
  #lastByte: number | undefined

  constructor(fd: number) {
    this.fd = fd
  }

  /** Whether a write is under way. The process cannot exit then: Node would wait for it. */
  get isWriting(): boolean {
    return this.#writing > 0
  }

  /** Whether what was written last is an unfinished line. */
  get isInLine(): boolean {
    return this.#lastByte !== undefined && this.#lastByte !== 0x0a
  }

  /**
   * Settles when all of it is written: awaiting it is the whole back-pressure.
   * @throws ReaderGone, or Failure when it cannot be written
   */
  write(data: Uint8Array): Promise<void> {
    const written = this.#turn.then(() => this.#writeAll(data))
    this.#turn = written.catch(() => undefined)
    return written
  }

  async #writeAll(data: Uint8Array): Promise<void> {
    this.#writing += 1
    try {
      for (let written = 0; written < data.length;) {
        written += await this.#writeOnce(data.subarray(written))
      }
      this.#lastByte = data.at(-1) ?? this.#lastByte
    } finally {
      this.#writing -= 1
    }
  }

  async #writeOnce(data: Uint8Array): Promise<number> {
    try {
      return (await writeSome(this.fd, data)).bytesWritten
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      // EIO: the terminal has been closed.
      if (code === 'EPIPE' || code === 'EIO') throw new ReaderGone()
      if (code !== 'EAGAIN')
        throw new Failure(`the output cannot be written (${code})`, exitCodes.inputOutput)
      await delay(RETRY_MS)
      return 0
    }
  }
}

/** Whether the next line on stderr would go on with an unfinished one: on a terminal stdout's stands there as well. */
export function isAfterUnfinishedLine(stdout: ByteOutput, stderr: ByteOutput): boolean {
  return stderr.isInLine || (isatty(stdout.fd) && isatty(stderr.fd) && stdout.isInLine)
}
