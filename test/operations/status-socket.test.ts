import { once } from 'node:events'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { askStatus as ask, openStatusSocket } from '../../src/operations/status-socket.ts'
import { leaveDeadSocket } from '../support/network/dead-socket.ts'
import { Logbook } from '../support/logbook.ts'
import { sampleStatus } from '../support/sites/sample-status.ts'

let folder: string
let log: Logbook

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'status-'))
  log = new Logbook()
})
afterEach(() => rmSync(folder, { recursive: true }))

const file = () => path.join(folder, 'status.sock')
const askStatus = async (at: string, withinMs: number): Promise<string> => {
  const answer = await ask(at, withinMs)
  return 'line' in answer ? answer.line : answer.reason
}
const open = (status = sampleStatus) => openStatusSocket({ folder, status, log })

describe('the status socket', () => {
  test('answers with one line of JSON', async () => {
    await using socket = await open(() => sampleStatus({ reason: undefined, health: undefined }))
    expect(socket.path).toBe(file())
    const line = await askStatus(file(), 2000)
    expect(line).not.toContain('\n')
    const expected = sampleStatus()
    expect(JSON.parse(line)).toEqual({
      ...expected,
      connection: { ...expected.connection, reason: null, health: null, stall: null },
    })
  })

  test('is for its user alone, and leaves nothing', async () => {
    // Whatever the umask of who starts the agent.
    const umask = process.umask(0)
    try {
      await using _socket = await open()
      expect(_socket.path).toBe(file())
      expect(lstatSync(file()).mode & 0o777).toBe(0o600)
      expect(readdirSync(folder)).toEqual(['status.sock'])
    } finally {
      process.umask(umask)
    }
    expect(readdirSync(folder)).toEqual([])
  })

  test('takes the place of what a dead agent left', async () => {
    leaveDeadSocket(file())
    await using socket = await open()
    expect(socket.path).toBe(file())
    expect(await askStatus(file(), 2000)).toContain('"pid":4711')
    expect(log.lines).toEqual([])
  })

  test('leaves that of a living agent alone, and the agent goes on without', async () => {
    await using first = await open()
    {
      await using second = await open(() => sampleStatus({}, { pid: 2 }))
      expect([first.path, second.path]).toEqual([file(), undefined])
      expect(log.at('warn')).toEqual([expect.stringContaining('another agent answers at this path')])
    }
    expect(await askStatus(file(), 2000)).toContain('"pid":4711')
  })

  test("does not remove a socket that has become another agent's", async () => {
    const first = await open()
    rmSync(file())
    await using second = await open(() => sampleStatus({}, { pid: 2 }))
    await first[Symbol.asyncDispose]()
    expect(second.path).toBe(file())
    expect(await askStatus(file(), 2000)).toContain('"pid":2')
  })

  test('is not there, with a warning, when its path is too long', async () => {
    const long = path.join(folder, 'x'.repeat(107 - folder.length - '/status.sock'.length))
    mkdirSync(long)
    await using socket = await openStatusSocket({ folder: long, status: sampleStatus, log })
    expect(socket.path).toBeUndefined()
    expect(log.at('warn')).toEqual([expect.stringContaining('longer than 107 bytes')])
    expect(readdirSync(long)).toEqual([])
  })

  test('can be opened at the longest allowed path', async () => {
    const long = path.join(folder, 'x'.repeat(107 - folder.length - '//status.sock'.length))
    mkdirSync(long)
    await using socket = await openStatusSocket({ folder: long, status: sampleStatus, log })
    expect(Buffer.byteLength(socket.path ?? '')).toBe(107)
    expect(await askStatus(socket.path ?? '', 2000)).toContain('"pid":4711')
  })

  test('is not there, with a warning, when its folder is missing', async () => {
    await using socket = await openStatusSocket({
      folder: path.join(folder, 'gone'),
      status: sampleStatus,
      log,
    })
    expect(socket.path).toBeUndefined()
    expect(log.at('warn')).toEqual([expect.stringContaining('no status socket')])
  })
})

test('who asks may leave before the answer', async () => {
  await using socket = await open()
  for (let i = 0; i < 50; i++)
    createConnection(socket.path ?? '')
      .on('error', () => undefined)
      .destroy()
  expect(await askStatus(file(), 2000)).toContain('"pid":4711')
})

test('a status that cannot be told closes the connection, and the agent goes on', async () => {
  await using _socket = await open(() => {
    throw new Error('no status today')
  })
  expect(await askStatus(_socket.path ?? '', 2000)).toBe('')
  expect(log.at('error')).toHaveLength(1)
})

describe('the client', () => {
  async function refusal(at = file(), withinMs = 2000) {
    const answer = await ask(at, withinMs)
    if ('reason' in answer) return answer
    throw new Error(`an answer: ${answer.line}`)
  }

  test('says that nobody is there any more', async () => {
    expect(await refusal()).toMatchObject({ reason: 'the socket does not exist', isGone: true })
    leaveDeadSocket(file())
    expect(await refusal()).toMatchObject({
      reason: 'the agent that made the socket has ended',
      isGone: true,
    })
  })

  test('does not take a plain file for an agent', async () => {
    writeFileSync(file(), '{}')
    expect(await refusal()).toMatchObject({ isGone: true })
  })

  test('does not wait for ever for an agent that hangs', async () => {
    const sockets: { destroy: () => void }[] = []
    const server = createServer((socket) => sockets.push(socket)).listen(file())
    await once(server, 'listening')
    try {
      expect(await refusal(file(), 100)).toMatchObject({
        reason: 'the agent does not answer because it hangs or is stopped',
        isGone: false,
      })
    } finally {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  })

  test('does not read without end', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write(Buffer.alloc(1024 * 1024, 'x'))
    }).listen(file())
    await once(server, 'listening')
    try {
      expect((await refusal()).reason).toBe('the answer is too long for a status')
    } finally {
      server.close()
      await once(server, 'close')
    }
  })

  test('says which paths no socket can have', async () => {
    expect((await refusal(`/${'x'.repeat(107)}`)).reason).toMatch(
      /^the path is longer than 107 bytes, .*runtime-dir/,
    )
  })
})
