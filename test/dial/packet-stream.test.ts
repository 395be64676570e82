import { beforeEach, describe, expect, it } from 'vitest'
import { SendQueue } from '../../src/dial/packet-stream.ts'
import type { SessionId } from '../../src/wire/messages/message.ts'
import { NO_PAYLOAD, type Packet, sessionIdOf, sessionSpec } from '../../src/wire/packet.ts'

const LARGE_BYTES = 64 * 1024

let written: (() => void)[]
let order: string[]
let queue: SendQueue

beforeEach(() => {
  written = []
  order = []
  queue = new SendQueue((packet, done) => {
    order.push(`${sessionIdOf(packet)}`)
    written.push(done)
  })
})

function packet(sid: string, bytes = LARGE_BYTES): Packet {
  return { type: 'ClientWriteStdout', spec: sessionSpec(sid as SessionId), payload: Buffer.alloc(bytes) }
}

/** Sends until the first packet has to wait. @returns its turn */
function fill(sid: string): Promise<void> {
  for (;;) {
    const turn = queue.send(packet(sid))
    if (turn !== undefined) return turn
  }
}

/** Sends a packet that has to wait. @returns its turn */
function waits(packet: Packet): Promise<void> {
  const turn = queue.send(packet)
  if (turn === undefined) throw new Error('the packet did not have to wait')
  return turn
}

/** The gateway takes so many packets. */
function take(count: number): void {
  for (const done of written.splice(0, count)) done()
}

describe('the packet stream', () => {
  it('sends at once while little is on the way, and then in turn: the session that has waited longest is next', async () => {
    const turns = [fill('a'), waits(packet('b')), waits(packet('c'))]
    const before = order.length
    expect(queue.hasRoom).toBe(false)
    take(1)
    await turns[0]
    const again = waits(packet('a'))
    take(2)
    await Promise.all(turns)
    expect(order.slice(before)).toEqual(['a', 'b', 'c'])
    take(1)
    await again
    expect(order.slice(before)).toEqual(['a', 'b', 'c', 'a'])
  })

  it('queues less than 256 KiB however many sessions write', () => {
    for (let n = 0; n < 1000; n++) void queue.send(packet(`s${n}`))
    expect(order.length * LARGE_BYTES).toBeLessThan(256 * 1024)
  })

  it('lets a small packet go before the large ones of other sessions', () => {
    void fill('bulk')
    void queue.send(packet('other'))
    expect(queue.send(packet('terminal', 1))).toBeUndefined()
    expect(order.at(-1)).toBe('terminal')
  })

  it('never lets a packet go before another one of its session', async () => {
    const large = fill('bulk')
    const small = waits(packet('bulk', 1))
    const before = order.length
    take(written.length)
    await Promise.all([large, small])
    expect(order.slice(before)).toEqual(['bulk', 'bulk'])
  })

  it('keeps packets that belong to no session in order among themselves', () => {
    void fill('bulk')
    const bare = (bytes: number): Packet => ({
      type: 'ClientWriteStdin',
      spec: {},
      payload: Buffer.alloc(bytes),
    })
    expect(queue.send(bare(LARGE_BYTES))).toBeInstanceOf(Promise)
    expect(queue.send(bare(1))).toBeInstanceOf(Promise)
  })

  it('lets large packets through a flood of small ones', async () => {
    const large = fill('bulk')
    const flood = Array.from({ length: 100 }, (_, n) => queue.send(packet(`flood-${n}`, 4096)))
    expect(flood.filter((turn) => turn !== undefined).length).toBeGreaterThan(50)
    const passed = order.length
    take(written.length)
    await large
    expect(order[passed]).toBe('bulk')
  })

  it('says when everything has been written', async () => {
    void queue.send(packet('a'))
    let isEmpty = false
    const empty = queue.empty().then(() => (isEmpty = true))
    await Promise.resolve()
    expect(isEmpty).toBe(false)
    take(1)
    await empty
    await queue.empty()
  })

  it('lets everybody go when it ends, and sends nothing more', async () => {
    const turn = fill('a')
    const before = order.length
    const empty = queue.empty()
    queue.end()
    await Promise.all([turn, empty])
    take(written.length)
    expect(order.length).toBe(before)
  })

  it('counts what a packet costs besides its payload', () => {
    for (let n = 0; n < 10_000; n++) void queue.send({ type: 'x', spec: {}, payload: NO_PAYLOAD })
    expect(order.length).toBeLessThan(1000)
  })

  it('waits for nothing behind its end: what was on its way may never be written', async () => {
    void queue.send(packet('a'))
    queue.end()
    await queue.empty()
  })

  it('reports its unsent bytes and since when', async () => {
    expect(queue.untaken).toBeUndefined()
    const turn = fill('a')
    const { bytes, since } = queue.untaken ?? { bytes: 0, since: Infinity }
    expect(bytes).toBeGreaterThan((order.length + 1) * LARGE_BYTES)
    take(1)
    await turn
    expect(queue.untaken?.since).toBeGreaterThan(since)
    expect(queue.untaken?.bytes).toBeLessThan(bytes)
    take(written.length)
    expect(queue.untaken).toBeUndefined()
  })

  it('leaves out what waits of a session that is forgotten, and nothing of others', async () => {
    const turns = [fill('a'), waits(packet('b')), waits(packet('a', 1))]
    const before = order.length
    queue.forget('a' as SessionId)
    await Promise.all([turns[0], turns[2]])
    take(written.length)
    await turns[1]
    expect(order.slice(before)).toEqual(['b'])
  })
})
