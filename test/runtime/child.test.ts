import { closeSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PipeEnd, split } from '../../src/runtime/child.ts'
import { bytesInPipe, pipe } from '../../src/runtime/linux/posix.ts'
import { found, waitFor } from '../support/wait.ts'

it.each([
  [0, []],
  [1, [1]],
  [65_536, [65_536]],
  [65_537, [65_536, 1]],
  [200_000, [65_536, 65_536, 65_536, 3392]],
])('%i bytes of output go out in pieces of 64 KiB at most, in order', (length, expected) => {
  const data = Buffer.from(Array.from({ length }, (_, at) => at % 251))
  const pieces = [...split({ stream: 'stderr', data })]
  expect(pieces.map((piece) => piece.data.length)).toEqual(expected)
  expect(pieces.every(({ stream }) => stream === 'stderr')).toBe(true)
  expect(Buffer.concat(pieces.map((piece) => piece.data)).equals(data)).toBe(true)
})

/** Both ends of a pipe, the writing one closed by the test. */
function open(): { end: PipeEnd; fd: number; writer: number; ended: () => boolean } {
  const [fd, writer] = pipe()
  const end = new PipeEnd(fd)
  let ended = false
  end.on('end', () => (ended = true))
  return { end, fd, writer, ended: () => ended }
}

const next = (end: PipeEnd) => found(() => end.read() ?? undefined)

describe('the end of a pipe', () => {
  it('gives what it read once and for all, whatever others read later, and says when the writer has closed', async () => {
    const { end, writer, ended } = open()
    const other = open()
    const said: Buffer[] = []
    for (const text of ['one', 'two', 'x'.repeat(60_000)]) {
      writeSync(writer, text)
      said.push(await next(end))
      writeSync(other.writer, '-'.repeat(60_000))
      await next(other.end)
    }
    expect(said.map(String)).toEqual(['one', 'two', 'x'.repeat(60_000)])
    other.end.destroy()
    closeSync(other.writer)
    closeSync(writer)
    await waitFor(() => end.read() === null && ended())
    await waitFor(() => end.destroyed)
  })

  it('leaves the pipe unread until it is asked for more', async () => {
    const { end, fd, writer } = open()
    writeSync(writer, 'one')
    const first = await next(end)
    writeSync(writer, 'two')
    await new Promise((resolve) => setImmediate(resolve))
    expect([String(first), end.readableLength, bytesInPipe(fd)]).toEqual(['one', 0, 3])
    expect(String(await next(end))).toBe('two')
    end.destroy()
    closeSync(writer)
    await waitFor(() => end.destroyed)
  })

  it('announces bytes that came while nobody looked', async () => {
    const { end, writer } = open()
    let announced = 0
    end.on('readable', () => (announced += 1))
    writeSync(writer, 'one')
    await waitFor(() => announced === 1)
    expect(end.readableLength).toBe(3)
    expect(String(end.read())).toBe('one')
    expect(end.readableLength).toBe(0)
    end.destroy()
    closeSync(writer)
    await waitFor(() => end.destroyed)
  })
})
