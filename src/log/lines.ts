import { writeSync } from 'node:fs'

/** How long one line may wait for room. A reader that stops reading must not stop the agent. */
const PATIENCE_MS = 1000
const PAUSE_MS = 10

/**
 * Writes lines to a descriptor before `write` returns, so that the last one before an exit is not lost. A line that
 * cannot be written is dropped: a full disk or a reader that left is no reason to end, and there is nowhere to report
 * it.
 * Not pino's destination: it waits for ever on EAGAIN, and throws on a full disk. EAGAIN comes as soon as anything has
 * touched `process.stderr`, because libuv makes a pipe non-blocking.
 */
export class Lines {
  readonly #fd: number
  readonly #pauses: number
  #isStuck = false
  #isCut = false

  constructor(fd: number, patienceMs = PATIENCE_MS) {
    this.#fd = fd
    this.#pauses = patienceMs / PAUSE_MS
  }

  write(line: string): void {
    const bytes = Buffer.from(this.#isCut ? `\n${line}` : line)
    const written = this.#writeAll(bytes)
    this.#isStuck = written < bytes.length
    this.#isCut = this.#isStuck && (this.#isCut || written > 0)
  }

  /** Writes as much as it can. @returns the bytes written */
  #writeAll(bytes: Buffer): number {
    // Once a wait was in vain, no line waits until one gets through again.
    let pauses = this.#isStuck ? 0 : this.#pauses
    let written = 0
    while (written < bytes.length) {
      const count = tryWrite(this.#fd, bytes.subarray(written))
      if (count === 'broken' || (count === 'full' && pauses <= 0)) break
      if (count === 'full') {
        pause()
        pauses -= 1
      } else written += count
    }
    return written
  }
}

function tryWrite(fd: number, bytes: Buffer): number | 'full' | 'broken' {
  try {
    return writeSync(fd, bytes)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EAGAIN' ? 'full' : 'broken'
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
}
