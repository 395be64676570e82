import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Chunk } from '../../../src/runtime/child-output.ts'
import { OutputCap, TailMemory } from '../../../src/runtime/output-tail.ts'

const MANY_RUNS = { numRuns: 10_000 }

interface Capped {
  readonly head: Buffer
  readonly rest: Chunk[]
  readonly omitted: number
}

function capped(chunks: readonly Chunk[], bytes: number, memory = new TailMemory(1_000_000)): Capped {
  using cap = new OutputCap(bytes, memory)
  const head = chunks.map((chunk) => cap.head(chunk)?.data ?? Buffer.alloc(0))
  const rest = [...cap.finish()]
  return { head: Buffer.concat(head), rest, omitted: cap.omitted }
}

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80

/** The same on the whole output at once. */
function reference(all: Buffer, bytes: number): { head: Buffer; tail: Buffer; omitted: number } {
  let headEnd = Math.floor(bytes / 5)
  let tailStart = all.length - (bytes - headEnd)
  for (let i = 0; i < 3 && isContinuation(all[headEnd]); i++) headEnd++
  if (tailStart <= headEnd) return { head: all.subarray(0, headEnd), tail: all.subarray(headEnd), omitted: 0 }
  for (let i = 0; i < 3 && isContinuation(all[tailStart]); i++) tailStart++
  return { head: all.subarray(0, headEnd), tail: all.subarray(tailStart), omitted: tailStart - headEnd }
}

const byte = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(0xe2, 0x98, 0x83, 0xf0, 0x9f, 0x80, 0x80),
)
const chunk = fc.record({
  stream: fc.constantFrom('stdout' as const, 'stderr' as const),
  data: fc.array(byte, { maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
})

const output = fc.array(chunk, { maxLength: 30 })
const capBytes = fc.integer({ min: 5, max: 200 })

describe('the output cap', () => {
  it('agrees with a cut of the whole output, whatever the chunking', () => {
    const memory = new TailMemory(64 * 1024 * 1024)
    const property = fc.property(output, capBytes, (chunks, bytes) => {
      const expected = reference(Buffer.concat(chunks.map(({ data }) => data)), bytes)
      const { head, rest, omitted } = capped(chunks, bytes, memory)
      const tail = omitted > 0 ? rest.slice(1) : rest
      expect(omitted).toBe(expected.omitted)
      expect(head.equals(expected.head)).toBe(true)
      expect(Buffer.concat(tail.map(({ data }) => data)).equals(expected.tail)).toBe(true)
    })
    fc.assert(property, MANY_RUNS)
    expect(memory.used).toBe(0)
  })

  it('keeps the end, if less of it, and counts exactly when there is no memory', () => {
    const memory = new TailMemory(20)
    const property = fc.property(output, capBytes, (chunks, bytes) => {
      const all = Buffer.concat(chunks.map(({ data }) => data))
      const { head, rest, omitted } = capped(chunks, bytes, memory)
      const tail = Buffer.concat((omitted > 0 ? rest.slice(1) : rest).map(({ data }) => data))
      expect(head.length + omitted + tail.length).toBe(all.length)
      expect(head.equals(all.subarray(0, head.length))).toBe(true)
      expect(tail.equals(all.subarray(all.length - tail.length))).toBe(true)
      // An eighth of the tail's capacity at the least, but for a cut character.
      expect(tail.length).toBeGreaterThanOrEqual(Math.min(all.length - head.length, bytes / 10) - 3)
    })
    fc.assert(property, MANY_RUNS)
    expect(memory.used).toBe(0)
  })

  it('tells after each chunk whether the output is longer than the cap', () => {
    // No memory: the tail is short long before.
    const memory = new TailMemory(0)
    const property = fc.property(output, capBytes, (chunks, bytes) => {
      using cap = new OutputCap(bytes, memory)
      for (const [index, chunk] of chunks.entries()) {
        cap.head(chunk)
        const all = Buffer.concat(chunks.slice(0, index + 1).map(({ data }) => data))
        expect(cap.exceeded).toBe(reference(all, bytes).omitted > 0)
      }
    })
    fc.assert(property)
  })

  it('tells how much it left out while the output comes', () => {
    using cap = new OutputCap(100, new TailMemory(1000))
    const told = Array.from({ length: 5 }, () => {
      cap.head({ stream: 'stdout', data: Buffer.alloc(30, 'x') })
      return cap.omitted
    })
    expect(told).toEqual([0, 0, 0, 20, 50])
  })

  it('keeps the streams of the tail apart and in order', () => {
    const chunks = 'abcdefghij'
      .split('')
      .map((letter, i): Chunk => ({ stream: i % 2 ? 'stderr' : 'stdout', data: Buffer.from(letter) }))
    const { rest } = capped(chunks, 5)
    expect(rest.slice(1).map(({ stream, data }) => `${stream}:${String(data)}`)).toEqual([
      'stdout:g',
      'stderr:h',
      'stdout:i',
      'stderr:j',
    ])
  })

  it('says in one line how many bytes it left out', () => {
    const { rest } = capped([{ stream: 'stdout', data: Buffer.alloc(1000, 'x') }], 100)
    expect(String(rest[0]?.data)).toBe('\n[... 900 bytes of output left out ...]\n')
  })

  it('never cuts a character', () => {
    const { head, rest } = capped([{ stream: 'stdout', data: Buffer.from('☃'.repeat(100)) }], 50)
    const text = [head, ...rest.map(({ data }) => data)].map(String).join('')
    expect(text).not.toContain('\ufffd')
  })

  it('stays within its memory when the streams alternate byte by byte', () => {
    const cap = new OutputCap(1_000_000, new TailMemory(1_000_000))
    for (let i = 0; i < 1_000_000; i++)
      cap.head({ stream: i % 2 ? 'stdout' : 'stderr', data: Buffer.from('x') })
    const kept = [...cap.finish()].slice(1).length
    expect(kept).toBeLessThanOrEqual(65_536)
    expect(cap.omitted + kept).toBe(800_000)
  })

  it('keeps a shorter tail when the shared memory is used up, counts exactly, and gives all of it back', () => {
    const memory = new TailMemory(1_000_000)
    const caps = Array.from({ length: 10 }, () => new OutputCap(1_000_000, memory))
    for (const cap of caps)
      for (let i = 0; i < 40; i++) cap.head({ stream: 'stdout', data: Buffer.alloc(50_000, 'x') })
    for (const cap of caps) {
      const tail = [...cap.finish()].slice(1).reduce((sum, { data }) => sum + data.length, 0)
      expect(tail).toBeGreaterThanOrEqual(64 * 1024)
      expect(200_000 + cap.omitted + tail).toBe(2_000_000)
      cap[Symbol.dispose]()
    }
    expect(memory.used).toBe(0)
    expect(memory.take(1_000_000)).toBe(true)
  })
})
