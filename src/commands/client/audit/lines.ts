import { closeSync, openSync, readSync } from 'node:fs'

/** An entry has some 12 KiB at most. */
const LONGEST_LINE = 1024 * 1024
const READ_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** The lines of a file that may be larger than the memory; undefined for a line that is too long to be an entry. */
export function* linesOf(file: string): Generator<string | undefined> {
  const descriptor = openSync(file, 'r')
  try {
    const line = new Line()
    const chunk = Buffer.alloc(READ_BYTES)
    for (let size = readSync(descriptor, chunk); size > 0; size = readSync(descriptor, chunk)) {
      let from = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0 && end < size; end = chunk.indexOf(NEWLINE, from)) {
        line.add(chunk.subarray(from, end))
        yield line.take()
        from = end + 1
      }
      line.add(chunk.subarray(from, size))
    }
    if (!line.isEmpty) yield line.take()
  } finally {
    closeSync(descriptor)
  }
}

class Line {
  #bytes: Buffer = Buffer.alloc(0)
  #isTooLong = false

  get isEmpty(): boolean {
    return this.#bytes.length === 0 && !this.#isTooLong
  }

  add(bytes: Buffer): void {
    this.#isTooLong ||= this.#bytes.length + bytes.length > LONGEST_LINE
    this.#bytes = this.#isTooLong ? Buffer.alloc(0) : Buffer.concat([this.#bytes, bytes])
  }

  take(): string | undefined {
    const text = this.#isTooLong ? undefined : this.#bytes.toString('utf8')
    this.#bytes = Buffer.alloc(0)
    this.#isTooLong = false
    return text
  }
}
