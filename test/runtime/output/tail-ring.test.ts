import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Chunk } from '../../../src/runtime/output/child-output.ts'
import { OutputCap } from '../../../src/runtime/output/output-cap.ts'
import { TailRing } from '../../../src/runtime/output/tail-ring.ts'
import { TailSpace } from '../../../src/runtime/output/tail-space.ts'

const KIB = 1024
const MIB = 1024 * KIB

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tail-ring-test-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const stdout = (data: Buffer): Chunk => ({ stream: 'stdout', data })

/** Bytes that tell their place: a piece in the wrong one is seen. */
function numbered(bytes: number, seed = 0): Buffer {
  const buffer = Buffer.alloc(bytes)
  for (let at = 0; at + 4 <= bytes; at += 4) buffer.writeUInt32LE((at + seed * 0x9e3779b1) >>> 0, at)
  return buffer
}

function* pieces(data: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size)
}

function taken(ring: TailRing): Buffer {
  return Buffer.concat([...ring.take(64 * KIB)].map(({ data }) => data))
}

/** The descriptors of files in the folder, with a name or without. */
function filesInUse(): number[] {
  return readdirSync('/proc/self/fd')
    .filter((fd) => existsSync(`/proc/self/fdinfo/${fd}`))
    .filter((fd) => readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder))
    .map(Number)
}

function theFile(): number {
  const [fd, ...others] = filesInUse()
  if (fd === undefined || others.length > 0) throw new Error('there is not one file')
  return fd
}

describe('a tail in a file', () => {
  it('has a file without a name that only the agent can open and no child inherits', () => {
    const space = new TailSpace(0, folder)
    const ring = new TailRing(MIB, space)
    ring.push(stdout(numbered(100)))
    expect(readdirSync(folder)).toEqual([])
    expect(fstatSync(theFile())).toMatchObject({ nlink: 0, mode: 0o100600, size: 100 })
    const flags = /^flags:\s*0?(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${theFile()}`, 'utf8'))?.[1]
    expect(Number.parseInt(flags ?? '', 8) & 0o2000000).toBe(0o2000000)
    ring.release()
    expect(filesInUse()).toEqual([])
  })

  it('is not made for an output that memory is there for', () => {
    const space = new TailSpace(MIB, folder)
    const ring = new TailRing(100 * KIB, space)
    for (const piece of pieces(numbered(10 * MIB), 64 * KIB)) ring.push(stdout(piece))
    expect(filesInUse()).toEqual([])
    expect(space.bytesInMemory).toBeLessThanOrEqual(130 * KIB)
    ring.release()
  })

  it('gives its memory back when it moves there, and goes on with the same bytes', () => {
    const space = new TailSpace(2 * MIB, folder)
    const all = numbered(7 * MIB)
    const ring = new TailRing(3 * MIB, space)
    ring.push(stdout(all.subarray(0, 2 * MIB)))
    expect([space.bytesInMemory, space.bytesInFiles]).toEqual([2 * MIB, 0])
    ring.push(stdout(all.subarray(2 * MIB, 2 * MIB + 1)))
    expect([space.bytesInMemory, space.bytesInFiles]).toEqual([0, 2 * MIB + 1])
    for (const piece of pieces(all.subarray(2 * MIB + 1), 50_001)) ring.push(stdout(piece))
    expect([space.bytesInMemory, space.bytesInFiles]).toEqual([0, 3 * MIB])
    expect(taken(ring).equals(all.subarray(4 * MIB))).toBe(true)
    expect(ring.dropped).toBe(4 * MIB)
    ring.release()
    expect([space.bytesInMemory, space.bytesInFiles]).toEqual([0, 0])
  })

  it('is taken in chunks with memory of their own, none larger than asked', () => {
    const ring = new TailRing(MIB, new TailSpace(0, folder))
    ring.push(stdout(numbered(1_500_000)))
    const chunks = [...ring.take(1000)]
    expect(new Set(chunks.map(({ data }) => data.length))).toEqual(new Set([1000, MIB % 1000]))
    expect(new Set(chunks.map(({ data }) => data.buffer)).size).toBe(chunks.length)
    expect(chunks.every(({ data }) => data.buffer.byteLength <= 1000)).toBe(true)
    ring.release()
  })

  it('takes only what is written, however large it may become', () => {
    const space = new TailSpace(MIB, folder)
    const ring = new TailRing(800 * MIB, space)
    for (const piece of pieces(numbered(20 * MIB), 64 * KIB)) {
      ring.push(stdout(piece))
      expect(space.bytesInMemory).toBeLessThanOrEqual(MIB)
    }
    expect(space.bytesInFiles).toBe(20 * MIB)
    expect(fstatSync(theFile()).size).toBe(20 * MIB)
    ring.release()
  })

  it('drops what comes after its release', () => {
    const space = new TailSpace(100, folder)
    const ring = new TailRing(MIB, space)
    ring.push(stdout(numbered(200)))
    ring.release()
    ring.release()
    ring.push(stdout(numbered(200)))
    expect([...ring.take(10)]).toEqual([])
    expect([space.bytesInMemory, space.bytesInFiles, filesInUse()]).toEqual([0, 0, []])
  })

  it('is whole for each of 100 outputs of 10 MiB, which together keep within the memory', () => {
    const space = new TailSpace(64 * MIB, folder)
    const all = numbered(10 * MIB + 64 * KIB)
    const output = (index: number) => all.subarray(index * 4, index * 4 + 10 * MIB)
    const rings = Array.from({ length: 100 }, () => new TailRing(8 * MIB, space))
    let most = 0
    for (let at = 0; at < 10 * MIB; at += 64 * KIB) {
      for (const [index, ring] of rings.entries()) {
        ring.push(stdout(output(index).subarray(at, at + 64 * KIB)))
        most = Math.max(most, space.bytesInMemory)
      }
    }
    expect(most).toBeLessThanOrEqual(64 * MIB)
    expect(most).toBeGreaterThan(48 * MIB)
    expect(space.bytesInFiles).toBeGreaterThan(90 * 8 * MIB)
    for (const [index, ring] of rings.entries()) {
      expect(ring.dropped).toBe(2 * MIB)
      expect(taken(ring).equals(output(index).subarray(2 * MIB))).toBe(true)
      ring.release()
    }
    expect([space.bytesInMemory, space.bytesInFiles]).toEqual([0, 0])
  })
})

describe('a tail whose file cannot be made', () => {
  const missing = () => join(folder, 'missing')
  const aFile = () => {
    writeFileSync(join(folder, 'file'), '')
    return join(folder, 'file')
  }

  it.each([
    ['the folder is missing', missing, 'ENOENT'],
    ['the folder is a file', aFile, 'ENOTDIR'],
  ])('keeps a full block of the end when %s, and says so once', (_, place, code) => {
    const reasons: string[] = []
    const path = place()
    const space = new TailSpace(0, path, (reason) => reasons.push(reason))
    const all = numbered(MIB)
    const ring = new TailRing(800 * KIB, space)
    for (const piece of pieces(all, 50_000)) ring.push(stdout(piece))
    expect(space.bytesInMemory).toBe(128 * KIB)
    const tail = taken(ring)
    expect(tail.length).toBeGreaterThanOrEqual(64 * KIB)
    expect(tail.equals(all.subarray(all.length - tail.length))).toBe(true)
    expect(ring.dropped).toBe(MIB - tail.length)
    expect(reasons).toEqual([
      `the end of an output will be kept shorter, its file in ${path} failed: ${code}`,
    ])
    ring.release()
    expect(space.bytesInMemory).toBe(0)
  })

  it('keeps all that memory was given for', () => {
    const space = new TailSpace(512 * KIB, missing())
    const all = numbered(2 * MIB)
    const ring = new TailRing(MIB, space)
    for (const piece of pieces(all, 10_000)) ring.push(stdout(piece))
    const tail = taken(ring)
    expect(tail.length).toBeGreaterThan(512 * KIB - 64 * KIB)
    expect(tail.equals(all.subarray(all.length - tail.length))).toBe(true)
    ring.release()
  })
})

// A small tmpfs is the real thing; to mount it takes root.
const mount = (place: string) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place]).status === 0
const unmount = (place: string) => execFileSync('umount', ['-l', place])

function mayMount(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'may-mount-'))
  const may = mount(place)
  if (may) unmount(place)
  rmSync(place, { recursive: true })
  return may
}

describe.skipIf(!mayMount())('a tail on a disk of 64 KiB (tmpfs, needs mount)', () => {
  beforeEach(() => {
    expect(mount(folder)).toBe(true)
  })
  afterEach(() => {
    unmount(folder)
  })

  it('goes back to memory when the disk is full, with the newest bytes and an exact count', () => {
    const reasons: string[] = []
    const space = new TailSpace(0, folder, (reason) => reasons.push(reason))
    const all = numbered(400 * KIB)
    const ring = new TailRing(MIB, space)
    ring.push(stdout(all.subarray(0, 60 * KIB)))
    expect(space.bytesInFiles).toBe(60 * KIB)
    // The half of this fits.
    ring.push(stdout(all.subarray(60 * KIB, 68 * KIB)))
    expect([space.bytesInFiles, ring.dropped]).toEqual([0, 0])
    for (const piece of pieces(all.subarray(68 * KIB), 4 * KIB)) ring.push(stdout(piece))
    const tail = taken(ring)
    expect(tail.length).toBeGreaterThanOrEqual(64 * KIB)
    expect(tail.equals(all.subarray(all.length - tail.length))).toBe(true)
    expect(ring.dropped).toBe(all.length - tail.length)
    expect(reasons).toEqual([expect.stringMatching(/ failed: ENOSPC$/)])
    expect(filesInUse()).toEqual([])
    ring.release()
  })

  it('frees the disk for others when it fails', () => {
    const space = new TailSpace(0, folder)
    const large = new TailRing(MIB, space)
    const small = new TailRing(MIB, space)
    for (const piece of pieces(numbered(200 * KIB), 4 * KIB)) large.push(stdout(piece))
    expect(statfsSync(folder).bfree).toBe(16)
    small.push(stdout(numbered(32 * KIB)))
    expect(space.bytesInFiles).toBe(32 * KIB)
    expect(taken(small).equals(numbered(32 * KIB))).toBe(true)
    for (const ring of [large, small]) ring.release()
  })

  it('stays in memory when it does not fit there as a whole', () => {
    const space = new TailSpace(256 * KIB, folder)
    const all = numbered(300 * KIB)
    const ring = new TailRing(MIB, space)
    for (const piece of pieces(all, 4 * KIB)) ring.push(stdout(piece))
    expect([space.bytesInMemory, space.bytesInFiles, filesInUse()]).toEqual([256 * KIB, 0, []])
    const tail = taken(ring)
    expect(tail.length).toBeGreaterThanOrEqual(192 * KIB)
    expect(tail.equals(all.subarray(all.length - tail.length))).toBe(true)
    expect(ring.dropped).toBe(all.length - tail.length)
    ring.release()
  })
})

const HAS_PRLIMIT = existsSync('/usr/bin/prlimit')
const prlimit = (...args: string[]) =>
  execFileSync('/usr/bin/prlimit', ['--pid', String(process.pid), ...args], { encoding: 'utf8' })

/** Does the work while no file of this process may grow beyond so many bytes. */
function withFileSize(bytes: number, work: () => void): void {
  const before = prlimit('--fsize', '--output=SOFT', '--noheadings').trim()
  const ignore = () => undefined
  process.on('SIGXFSZ', ignore)
  prlimit(`--fsize=${bytes}:`)
  try {
    work()
  } finally {
    prlimit(`--fsize=${before}:`)
    process.off('SIGXFSZ', ignore)
  }
}

const chunk = fc.record({
  stream: fc.constantFrom('stdout' as const, 'stderr' as const),
  data: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
})

describe.skipIf(!HAS_PRLIMIT)('a tail whose file stops growing (needs prlimit)', () => {
  it.each([
    ['no memory', 0],
    ['a little memory', 40],
    ['memory', 1000],
  ])('is the end of the output byte for byte and stream for stream, with %s to fall back to', (_, memory) => {
    let failures = 0
    const space = new TailSpace(memory, folder, () => failures++)
    const property = fc.property(fc.array(chunk), fc.integer({ min: 1, max: 200 }), (chunks, capacity) => {
      const ring = new TailRing(capacity, space)
      const letters = (of: readonly Chunk[]) =>
        of.flatMap(({ stream, data }) => [...data].map((byte) => `${stream} ${byte}`))
      for (const chunk of chunks) ring.push(chunk)
      const all = letters(chunks)
      const tail = letters([...ring.take(50)])
      expect(tail).toEqual(all.slice(all.length - tail.length))
      expect(ring.dropped).toBe(all.length - tail.length)
      expect(tail.length).toBeGreaterThanOrEqual(Math.min(all.length, Math.ceil(capacity / 8)))
      ring.release()
    })
    withFileSize(64, () => fc.assert(property, { numRuns: 3000 }))
    expect(failures > 0).toBe(memory < 1000)
    expect([space.bytesInMemory, space.bytesInFiles, filesInUse()]).toEqual([0, 0, []])
  })

  it('keeps nothing before what it cannot read on the way back, and counts it', () => {
    const ring = new TailRing(MIB, new TailSpace(0, folder))
    ring.push(stdout(numbered(128 * KIB)))
    withFileSize(128 * KIB, () => {
      ftruncateSync(theFile(), 64 * KIB)
      ring.push(stdout(Buffer.from('the end')))
    })
    expect(taken(ring).toString()).toBe('the end')
    expect(ring.dropped).toBe(128 * KIB)
    ring.release()
  })
})

describe('a tail whose file cannot be read', () => {
  it('has a line of its own for what is missing in the middle', () => {
    const space = new TailSpace(0, folder)
    using cap = new OutputCap(500 * KIB, space)
    const all = numbered(600 * KIB)
    const head = cap.head(stdout(all))
    expect(head?.data.length).toBe(100 * KIB)
    // The file is a ring of 400 KiB whose oldest byte is its first, then, after another 100 KiB, at 100 KiB.
    cap.head(stdout(numbered(100 * KIB, 1)))
    ftruncateSync(theFile(), 228 * KIB)
    const chunks = [...cap.finish()]
    const texts = chunks.filter(({ stream }) => stream === 'stderr').map(({ data }) => String(data))
    expect(texts).toEqual([
      `\n[... ${200 * KIB} bytes of output left out ...]\n`,
      `\n[... ${192 * KIB} bytes of output left out ...]\n`,
    ])
    expect(cap.omitted).toBe(392 * KIB)
    const tail = Buffer.concat(chunks.filter(({ stream }) => stream === 'stdout').map(({ data }) => data))
    expect(tail.length).toBe(208 * KIB)
    expect(tail.subarray(0, 128 * KIB).equals(all.subarray(300 * KIB, 428 * KIB))).toBe(true)
    expect(tail.subarray(128 * KIB).equals(numbered(100 * KIB, 1).subarray(20 * KIB))).toBe(true)
  })
})
