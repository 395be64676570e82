import { createHash, type Hash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { memoryOf, peakMemoryOf } from '../support/machine/processes.ts'
import { ScriptedClient } from '../support/scripted/scripted-client.ts'
import { Site } from '../support/sites/site.ts'

const LINE = '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n'
const TOTAL = 1_000_000_000
const GROWTH_MB = 60

/** Hashes what `script` below writes. */
function expected(): string {
  const hash = createHash('md5')
  const block = Buffer.from(LINE.repeat(15_625))
  for (let at = 0; at < TOTAL; at += block.length) hash.update(block)
  return hash.digest('hex')
}

const script = (bytes: number) => `yes '${LINE.trim()}' | head -c ${bytes}`

function client(site: Site): ScriptedClient {
  return new ScriptedClient(site.grpc, {
    'connection-name': 'bash',
    verb: 'exec',
    authorization: `Bearer ${site.token}`,
  })
}

/** Counts and hashes output instead of keeping it. */
function hashed(one: ScriptedClient): { bytes: number; hash: Hash } {
  const seen = { bytes: 0, hash: createHash('md5') }
  one.onPacket = ({ type, payload }) => {
    if (type !== 'ClientWriteStdout') return true
    seen.bytes += payload.length
    seen.hash.update(payload)
    return false
  }
  return seen
}

/** Gateway and agent after a first large output, which brings the allocator to its working size. */
async function warm(site: Site): Promise<readonly [gateway: number, agent: number]> {
  await using first = client(site)
  hashed(first)
  await first.exec(script(100_000_000), {}, 60_000)
  return [site.gateway.pid, site.agent.pid]
}

/** The result, and the most memory that each process had meanwhile. */
async function watched<T extends object>(
  pids: readonly number[],
  work: Promise<T>,
): Promise<{ result: T; peaks: number[] }> {
  const peaks = pids.map(memoryOf)
  for (;;) {
    const result = await Promise.race([delay(100, undefined), work])
    if (result !== undefined) return { result, peaks }
    pids.forEach((pid, i) => (peaks[i] = Math.max(peaks[i] ?? 0, memoryOf(pid))))
  }
}

it('1 GB through exec arrives whole, and neither gateway nor agent grows', async () => {
  await using site = await Site.start({})
  const pids = await warm(site)
  const idle = pids.map(memoryOf)
  await using one = client(site)
  const seen = hashed(one)
  const from = performance.now()
  const { result, peaks } = await watched(pids, one.exec(script(TOTAL), {}, 300_000))
  const seconds = (performance.now() - from) / 1000
  console.log('1 GB through exec', {
    idle,
    peaks,
    ever: pids.map(peakMemoryOf),
    MBperSecond: TOTAL / 1e6 / seconds,
  })
  expect([result.code, seen.bytes, seen.hash.digest('hex')]).toEqual([0, TOTAL, expected()])
  pids.forEach((_, i) => expect((peaks[i] ?? 0) - (idle[i] ?? 0)).toBeLessThanOrEqual(GROWTH_MB))
})

it('1 GB to a client that reads 20 MB/s, with others that read nothing beside it: whole, and no growth', async () => {
  await using site = await Site.start({})
  const pids = await warm(site)
  const idle = pids.map(memoryOf)
  const stalled = Array.from({ length: 10 }, () => client(site))
  try {
    for (const one of stalled) {
      hashed(one)
      one.open(script(TOTAL))
      await one.packet('ClientSessionOpenOK')
      one.pause()
      one.send({ kind: 'exec', stdin: Buffer.from(script(TOTAL)) })
    }
    await using slow = client(site)
    const seen = hashed(slow)
    const look = slow.onPacket
    slow.onPacket = (packet) => {
      slow.pause()
      setTimeout(() => slow.resume(), (packet.payload.length / 20_000_000) * 1000)
      return look(packet)
    }
    const { result, peaks } = await watched(pids, slow.exec(script(TOTAL), {}, 300_000))
    console.log('1 GB at 20 MB/s beside 10 that do not read', { idle, peaks })
    expect([result.code, seen.bytes, seen.hash.digest('hex')]).toEqual([0, TOTAL, expected()])
    expect(stalled.map(({ status }) => status)).toEqual(stalled.map(() => undefined))
    // What 10 clients have not read: 1 MiB each and what was on its way when it was paused.
    expect((peaks[0] ?? 0) - (idle[0] ?? 0)).toBeLessThanOrEqual(GROWTH_MB + 10 * 7)
    expect((peaks[1] ?? 0) - (idle[1] ?? 0)).toBeLessThanOrEqual(GROWTH_MB)
  } finally {
    await Promise.all(stalled.map((one) => one.leave()))
  }
})
