import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Chunk } from '../../../src/runtime/child-output.ts'
import { OutputTail, TailMemory } from '../../../src/runtime/output-tail.ts'

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
    fc.assert(property, { numRuns: 3000 })
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
