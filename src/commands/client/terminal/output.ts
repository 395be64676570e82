import { write } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { isatty } from 'node:tty'
import { promisify } from 'node:util'
import { printableText } from '../../../basics/text/printable.ts'
import type { SessionPiece } from '../../../client/running/follow.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'

const writeSome = promisify(write)

/**
 * Wait before the next write to a full descriptor. A write to it fails only because another process has made
 * it non-blocking.
 */
const RETRY_MS = 2

/** Thrown when the reader has closed the pipe, as `head` does after its last line. This is no failure. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone'
}

/**
 * Writes bytes in order. Does not use `process.stdout`, which writes on the main thread. There, a slow reader
 * (`less`, Ctrl-S) would delay signals, keys and packets.
 */
export class ByteOutput {
  readonly fd: number
  #turn: Promise<void> = Promise.resolve()
  #writing = 0
  #lastByte: number | undefined

  constructor(fd: number) {
    this.fd = fd
  }

  /** Whether a write is not finished. Then the process cannot exit, because Node would wait for the write. */
  get isWriting(): boolean {
    return this.#writing > 0
  }

  /** Whether the last write ended with an unfinished line. */
  get isInLine(): boolean {
    return this.#lastByte !== undefined && this.#lastByte !== 0x0a
  }

  /**
   * Writes the data. Wait for each write, so that a slow reader slows down the source.
   * @throws ReaderGone, or Failure when the data cannot be written
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
      // EIO means that the terminal is closed.
      if (code === 'EPIPE' || code === 'EIO') throw new ReaderGone()
      if (code !== 'EAGAIN') throw new Failure(`cannot write the output: ${code}`, exitCodes.inputOutput)
      await delay(RETRY_MS)
      return 0
    }
  }
}

/**
 * Whether a text on stderr would continue an unfinished line. If both are the same terminal, stdout may have
 * written that line.
 */
export function isAfterUnfinishedLine(stdout: ByteOutput, stderr: ByteOutput): boolean {
  return stderr.isInLine || (isatty(stdout.fd) && isatty(stderr.fd) && stdout.isInLine)
}

/** Writes the session's output to stdout, and texts about the session to stderr. */
export class SessionOutput {
  readonly stdout = new ByteOutput(1)
  readonly stderr = new ByteOutput(2)

  get isWriting(): boolean {
    return this.stdout.isWriting || this.stderr.isWriting
  }

  get isInLine(): boolean {
    return isAfterUnfinishedLine(this.stdout, this.stderr)
  }

  /**
   * Writes a piece. Request the next piece only after this piece is written.
   * @throws ReaderGone, or Failure
   */
  async show({ type, bytes }: SessionPiece): Promise<void> {
    if (type === 'o') return this.stdout.write(bytes)
    if (type === 'e') return this.say(printableText(bytes.toString()).replace(/^\n/, ''))
  }

  async say(text: string): Promise<void> {
    if (text === '') return
    await this.stderr.write(Buffer.from(`${this.isInLine ? '\n' : ''}${text.replace(/\n$/, '')}\n`))
  }
}
