import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { expect, it } from 'vitest'
import { TerminalInput } from '../../src/runtime/pty.ts'
import { Workplace } from '../support/sites/workplace.ts'
import { waitFor } from '../support/wait.ts'

/** A pipe to itself that takes nothing more, as a terminal whose program does not read. */
class FullPipe implements Disposable {
  readonly fd: number
  readonly #place = new Workplace()

  constructor() {
    const file = this.#place.at('pipe')
    execFileSync('mkfifo', [file])
    this.fd = openSync(file, constants.O_RDWR | constants.O_NONBLOCK)
    for (const size of [65_536, 1]) this.#fill(Buffer.alloc(size))
  }

  read(): number {
    return readSync(this.fd, Buffer.alloc(1_000_000))
  }

  #fill(data: Buffer): void {
    try {
      for (;;) writeSync(this.fd, data)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd)
    this.#place[Symbol.dispose]()
  }
}

it('a terminal that takes nothing is tried again after some time, not at every turn', async () => {
  using pipe = new FullPipe()
  let tries = 0
  const isClosed = () => {
    tries += 1
    return false
  }
  const input = new TerminalInput(pipe.fd, isClosed)
  const from = performance.now()
  input.write(Buffer.from('key'))
  for (let turn = 0; turn < 1000; turn++) await new Promise(setImmediate)
  // Once for `write` itself, once at once, and then a millisecond later at the earliest.
  expect(tries).toBeLessThanOrEqual(3 + (performance.now() - from))
  expect(input.unwritten).toBe(3)
  while (input.unwritten > 0) {
    pipe.read()
    await waitFor(() => input.unwritten === 0)
  }
  expect(pipe.read()).toBe(3)
})

it('what a terminal takes in part is written in order', async () => {
  using pipe = new FullPipe()
  pipe.read()
  const input = new TerminalInput(pipe.fd, () => false)
  const data = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251))
  input.write(data.subarray(0, 200_000))
  input.write(data.subarray(200_000))
  const read: Buffer[] = []
  const bytes = Buffer.alloc(1_000_000)
  await waitFor(() => {
    try {
      read.push(Buffer.from(bytes.subarray(0, readSync(pipe.fd, bytes))))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
    return Buffer.concat(read).length === data.length
  })
  expect(Buffer.concat(read).equals(data)).toBe(true)
  expect(input.unwritten).toBe(0)
})
