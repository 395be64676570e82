import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Chunk } from '../../src/runtime/child.ts'
import { OutputCap, OutputTail, TailMemory } from '../../src/runtime/output-tail.ts'

const KIB = 1024
const MIB = 1024 * KIB

const stdout = (data: Buffer): Chunk => ({ stream: 'stdout', data })

/** Bytes that tell their place: a piece in the wrong one is seen. */
function numbered(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  for (let at = 0; at + 4 <= bytes; at += 4) buffer.writeUInt32LE(at, at)
  return buffer
}

function* pieces(data: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size)
}

function taken(tail: OutputTail): Buffer {
  return Buffer.concat([...tail.take(64 * KIB)].map(({ data }) => data))
}

const chunk = fc.record({
  stream: fc.constantFrom('stdout' as const, 'stderr' as const),
  data: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
})

const letters = (of: readonly Chunk[]) =>
  of.flatMap(({ stream, data }) => [...data].map((byte) => `${stream} ${byte}`))

describe('the tail of an output', () => {
  it('has room for as many bytes that come one by one, of one stream', () => {
    const data = numbered(100_000)
    using tail = new OutputTail(data.length, new TailMemory(MIB))
    for (const piece of pieces(data, 1)) tail.push(stdout(piece))
    expect([taken(tail).equals(data), tail.dropped]).toEqual([true, 0])
  })

  it.each([
    ['no memory', 0],
    ['a little memory', 40],
    ['memory', 1000],
  ])('is its end byte for byte and stream for stream, with %s', (_, limit) => {
    const memory = new TailMemory(limit)
    const property = fc.property(fc.array(chunk), fc.integer({ min: 1, max: 200 }), (chunks, capacity) => {
      using tail = new OutputTail(capacity, memory)
      for (const chunk of chunks) tail.push(chunk)
      const all = letters(chunks)
      const kept = letters([...tail.take(50)])
      expect(kept).toEqual(all.slice(all.length - kept.length))
      expect(tail.dropped).toBe(all.length - kept.length)
      const least = limit === 1000 ? capacity : Math.ceil(capacity / 8)
      expect(kept.length).toBeGreaterThanOrEqual(Math.min(all.length, least))
      expect(kept.length).toBeLessThanOrEqual(capacity)
    })
    fc.assert(property, { numRuns: 500 })
    expect(memory.used).toBe(0)
  })

  it('is taken in chunks with memory of their own, none larger than asked', () => {
    using tail = new OutputTail(MIB, new TailMemory(2 * MIB))
    tail.push(stdout(numbered(1_500_000)))
    const chunks = [...tail.take(1000)]
    expect(new Set(chunks.map(({ data }) => data.length))).toEqual(new Set([1000, MIB % 1000]))
    expect(new Set(chunks.map(({ data }) => data.buffer)).size).toBe(chunks.length)
    expect(chunks.every(({ data }) => data.buffer.byteLength <= 1000)).toBe(true)
  })

  it('takes no more than twice what is written, however large it may become', () => {
    const memory = new TailMemory(100 * MIB)
    using tail = new OutputTail(800 * MIB, memory)
    let written = 0
    for (const piece of pieces(numbered(20 * MIB), 50_000)) {
      tail.push(stdout(piece))
      written += piece.length
      expect(memory.used).toBeLessThanOrEqual(Math.max(64 * KIB, 2 * written))
    }
    expect(taken(tail).equals(numbered(20 * MIB))).toBe(true)
  })

  it('stays as long as it is when no memory is left, and has 64 KiB in any case', () => {
    const memory = new TailMemory(2 * MIB)
    const all = numbered(3 * MIB)
    const tails = Array.from({ length: 4 }, () => new OutputTail(MIB, memory))
    for (const tail of tails) for (const piece of pieces(all, 50_000)) tail.push(stdout(piece))
    expect(memory.used).toBeLessThanOrEqual(2 * MIB + 2 * 64 * KIB)
    const kept = tails.map(taken)
    expect(kept.map(({ length }) => length)).toEqual([MIB, MIB, 64 * KIB, 64 * KIB])
    for (const end of kept) expect(end.equals(all.subarray(-end.length))).toBe(true)
    expect(tails.map(({ dropped }) => dropped)).toEqual(kept.map(({ length }) => 3 * MIB - length))
    for (const tail of tails) tail[Symbol.dispose]()
    expect(memory.used).toBe(0)
  })

  it('drops what comes after its release', () => {
    const memory = new TailMemory(MIB)
    const tail = new OutputTail(MIB, memory)
    tail.push(stdout(numbered(200)))
    tail[Symbol.dispose]()
    tail[Symbol.dispose]()
    tail.push(stdout(numbered(200)))
    expect([[...tail.take(10)], memory.used]).toEqual([[], 0])
  })
})

const MANY_RUNS = { numRuns: 1000 }

interface Capped {
  readonly head: Buffer
  readonly rest: Chunk[]
  readonly omitted: number
}

function capped(chunks: readonly Chunk[], bytes: number, memory = new TailMemory(1_000_000)): Capped {
  using cap = new OutputCap(bytes, memory)
  const head = chunks.map((piece) => cap.head(piece)?.data ?? Buffer.alloc(0))
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
const piece = fc.record({
  stream: fc.constantFrom('stdout' as const, 'stderr' as const),
  data: fc.array(byte, { maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
})

const output = fc.array(piece, { maxLength: 30 })
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

  it('tells after each piece whether the output is longer than the cap', () => {
    // No memory: the tail is short long before.
    const memory = new TailMemory(0)
    const property = fc.property(output, capBytes, (chunks, bytes) => {
      using cap = new OutputCap(bytes, memory)
      for (const [index, piece] of chunks.entries()) {
        cap.head(piece)
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
