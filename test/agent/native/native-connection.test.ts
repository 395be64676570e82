import { describe, expect, it } from 'vitest'
import { NativeConnection, type ConnectionSession } from '../../../src/agent/native/native-connection.ts'
import type { SessionId } from '../../../src/wire/messages/message.ts'

const MIB = 1024 * 1024
const session: ConnectionSession = {
  ...{ sid: 's' as SessionId, protocol: 'tcp', pauses: false, halfCloses: false, waiting: { bytes: 0 } },
  takeMasked: () => undefined,
  send: () => Promise.resolve(),
}
/** Counts as 16 MiB with its packet. Cheap to send many times: only lengths count. */
const bytes = Buffer.alloc(16 * MIB - 256)

describe('a native connection', () => {
  it('takes nothing more of a client whose connection the agent has ended', () => {
    const connection = new NativeConnection('1', { ...session, waiting: { bytes: 0 } })
    for (let sent = 0; sent < 10; sent += 1) connection.receive(bytes)
    expect([connection.ending.aborted, connection.bytes.received]).toEqual([true, 3 * bytes.length])
    return connection.close()
  })

  it('ends where all clients of a session together fill the memory, and frees what it held', async () => {
    const all = Array.from({ length: 12 }, (_, at) => new NativeConnection(`${at}`, session))
    for (const connection of all) connection.receive(bytes)
    const ended = all.filter(({ ending }) => ending.aborted)
    expect(ended).toEqual(all.slice(8))
    expect(String(ended[0]?.ending.reason)).toContain('128 MiB')
    await all[0]?.next()
    await Promise.all(all.map((connection) => connection.close()))
    await all[1]?.next()
    expect(session.waiting.bytes).toBe(0)
  })

  it('ends a client whose many small packets fill the memory: a byte takes as much as a hundred', () => {
    const connection = new NativeConnection('1', { ...session, waiting: { bytes: 0 } })
    const byte = Buffer.alloc(1)
    for (let sent = 0; sent < 200_000; sent += 1) connection.receive(byte)
    expect(String(connection.ending.reason)).toContain('32 MiB')
    expect(connection.bytes.received).toBeLessThan(150_000)
    return connection.close()
  })
})
