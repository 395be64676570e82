import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Chunk } from '../../src/runtime/child-output.ts'
import { MemoryBudget } from '../../src/runtime/memory-budget.ts'
import { OutputCap } from '../../src/runtime/output-cap.ts'

const budget = new MemoryBudget(64 * 1024 * 1024)

function capped(chunks: readonly Chunk[], bytes: number): { head: Buffer; rest: Chunk[]; omitted: number } {
  const cap = new OutputCap(bytes, budget)
  const head = chunks.map((chunk) => cap.head(chunk)?.data ?? Buffer.alloc(0))
  const rest = [...cap.finish()]
  cap[Symbol.dispose]()
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

describe('the output cap', () => {
  it('agrees with a cut of the whole output, whatever the chunking', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 30 }), fc.integer({ min: 5, max: 200 }), (chunks, bytes) => {
        const expected = reference(Buffer.concat(chunks.map(({ data }) => data)), bytes)
        const { head, rest, omitted } = capped(chunks, bytes)
        const tail = omitted > 0 ? rest.slice(1) : rest
        expect(omitted).toBe(expected.omitted)
        expect(head.equals(expected.head)).toBe(true)
        expect(Buffer.concat(tail.map(({ data }) => data)).equals(expected.tail)).toBe(true)
      }),
      { numRuns: 10_000 },
    )
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
    const cap = new OutputCap(1_000_000, budget)
    for (let i = 0; i < 1_000_000; i++)
      cap.head({ stream: i % 2 ? 'stdout' : 'stderr', data: Buffer.from('x') })
    const kept = [...cap.finish()].slice(1).length
    expect(kept).toBeLessThanOrEqual(65_536)
    expect(cap.omitted + kept).toBe(800_000)
  })

  it('keeps a shorter tail when the shared memory is used up, counts exactly, and gives all of it back', () => {
    const shared = new MemoryBudget(1_000_000)
    const caps = Array.from({ length: 10 }, () => new OutputCap(1_000_000, shared))
    for (const cap of caps)
      for (let i = 0; i < 40; i++) cap.head({ stream: 'stdout', data: Buffer.alloc(50_000, 'x') })
    for (const cap of caps) {
      const tail = [...cap.finish()].slice(1).reduce((sum, { data }) => sum + data.length, 0)
      expect(tail).toBeGreaterThanOrEqual(64 * 1024)
      expect(200_000 + cap.omitted + tail).toBe(2_000_000)
      cap[Symbol.dispose]()
    }
    expect(shared.take(1_000_000)).toBe(true)
  })
})
