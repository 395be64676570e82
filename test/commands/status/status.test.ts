import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Failure } from '../../../src/commands/exit-codes.ts'
import { statusCommand, type StatusFlags } from '../../../src/commands/status.ts'
import { openStatusSocket } from '../../../src/operations/status-socket.ts'
import { type Status, formatStatus, parseStatus } from '../../../src/operations/status.ts'
import { leaveDeadSocket } from '../../support/network/dead-socket.ts'
import { Logbook } from '../../support/logbook.ts'
import { sampleStatus } from '../../support/sites/sample-status.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'status-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The socket of an agent with this status. */
async function agent(name: string, status: Status): Promise<AsyncDisposable & { readonly socket: string }> {
  mkdirSync(path.join(folder, name))
  const opened = await openStatusSocket({
    folder: path.join(folder, name),
    status: () => status,
    log: new Logbook(),
  })
  return { socket: socketOf(name), [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
}

const socketOf = (name: string) => path.join(folder, name, 'status.sock')

async function run(flags: StatusFlags, ...paths: string[]) {
  const said = { stdout: '', stderr: '' }
  const output = {
    stdout: (text: string) => void (said.stdout += text),
    stderr: (text: string) => void (said.stderr += text),
  }
  return { code: await statusCommand(flags, () => paths, output), ...said }
}

async function failure(flags: StatusFlags, ...paths: string[]): Promise<Failure> {
  const error: unknown = await run(flags, ...paths).catch((error: unknown) => error)
  if (error instanceof Failure) return error
  throw new Error('did not fail')
}

describe('the status command', () => {
  test('shows an agent to a person', async () => {
    await using one = await agent('one', sampleStatus())
    expect(await run({}, one.socket)).toEqual({
      code: 0,
      stderr: '',
      stdout: [
        'agent      local, pid 4711, version 1.2.3, up 3d 4h, posix engine',
        'gateway    serving 127.0.0.1:8010 as local, 2 of 100 sessions',
        'connection in this state since 2026-03-01T10:00:00.000Z, 11 reconnects, last health check 2026-03-01T10:00:20.500Z in 12 ms',
        'sessions   2 running, limit 100, 41 opened, 30 exited, 3 signaled',
        '           ended by the agent: 4 timeout, 5 gateway-lost, closes not confirmed: 6',
        'output     4.8 MiB read, 3.8 MiB sent, 977 KiB left out, 77 B redacted',
        'tails      8.0 KiB in memory',
        'requests   of the gateway itself: 21 exited, 13 refused',
        'leftovers  9 processes ended',
        'journal    8 lines lost',
        '',
      ].join('\n'),
    })
  })

  test('shows several agents, and exits with 1 when one of them is not connected', async () => {
    const away = sampleStatus(
      { state: 'waiting', reason: 'connect ECONNREFUSED', health: undefined },
      { agent: '', pid: 2 },
    )
    await using one = await agent('one', sampleStatus())
    await using two = await agent('two', away)
    const { code, stdout } = await run({}, one.socket, two.socket)
    expect(code).toBe(1)
    expect(stdout.split('\n\n')).toHaveLength(2)
    expect(stdout).toContain('\nagent      unnamed, pid 2, ')
    expect(stdout).toContain('\ngateway    waiting: connect ECONNREFUSED\n')
    expect(stdout).toContain('no health check yet')
  })

  test('gives programs a line of JSON for each', async () => {
    const status = sampleStatus({ state: 'draining', health: undefined })
    await using one = await agent('one', sampleStatus())
    await using two = await agent('two', status)
    const { code, stdout } = await run({ json: true }, one.socket, two.socket)
    expect(code).toBe(1)
    const lines = stdout.trimEnd().split('\n')
    expect(lines.map((line) => parseStatus(line))).toEqual([sampleStatus(), status])
  })

  test('asks one socket only when it is named', async () => {
    await using one = await agent('one', sampleStatus())
    const { stdout } = await run({ socket: one.socket }, socketOf('two'))
    expect(stdout).toContain('pid 4711')
    expect(await failure({ socket: socketOf('two') }, one.socket)).toMatchObject({
      message: `no agent answers: ${socketOf('two')}: the socket does not exist`,
      exitCode: 69,
    })
  })

  test('says nothing of agents that are gone, beside one that is there', async () => {
    mkdirSync(path.join(folder, 'dead'))
    leaveDeadSocket(socketOf('dead'))
    await using one = await agent('one', sampleStatus())
    expect(await run({}, socketOf('dead'), socketOf('never'), one.socket)).toMatchObject({
      code: 0,
      stderr: '',
    })
  })

  test('says in one line that no agent runs', async () => {
    const expected = {
      message:
        'no agent of your user runs on this machine. Run this command as the user of the agent; if the agent has a runtime-dir, set RUNBOOK_AGENT_RUNTIME_DIR or give its socket with --socket',
      exitCode: 69,
    }
    expect(await failure({})).toMatchObject(expected)
    expect(await failure({}, socketOf('never'))).toMatchObject(expected)
  })

  test('says of an agent whose path is too long for a socket why it cannot be asked', async () => {
    const long = path.join(folder, 'x'.repeat(107), 'status.sock')
    expect(await failure({}, long, socketOf('never'))).toMatchObject({
      message: `no agent answers: ${long}: the path is longer than 107 bytes, so no agent can listen there; set a shorter runtime-dir`,
      exitCode: 69,
    })
  })

  test('tells what is no agent from one that is gone', async () => {
    const other = path.join(folder, 'other')
    const server = createServer((socket) => void socket.end('{"hello":1}\n')).listen(other)
    await once(server, 'listening')
    try {
      const what = `${other}: the answer is not from an agent of this version`
      expect((await failure({}, other)).message).toBe(`no agent answers: ${what}`)
      await using one = await agent('one', sampleStatus())
      expect(await run({}, other, one.socket)).toMatchObject({
        code: 0,
        stderr: `runbook-agent: ${what}\n`,
      })
    } finally {
      server.close()
      await once(server, 'close')
    }
  })
})

test('a status is read as it was written, and nothing else is taken for one', () => {
  for (const status of [
    sampleStatus(),
    sampleStatus({ health: undefined, reason: 'why' }, { engine: 'portable' }),
    sampleStatus({ stall: { since: '2026-03-01T10:00:30.000Z', bytes: 200_000 } }),
  ]) {
    expect(parseStatus(formatStatus(status))).toEqual(status)
  }
  const newer = { ...sampleStatus(), more: 1 }
  expect(parseStatus(formatStatus(newer))).toEqual(sampleStatus())
  for (const other of ['', 'x', '{}', 'null', '[]', formatStatus(sampleStatus()).replace('4711', '"x"')]) {
    expect(parseStatus(other)).toBeUndefined()
  }
})

test("what an agent says cannot move the reader's cursor", async () => {
  await using one = await agent('one', sampleStatus({}, { agent: 'a\u001b[2Jb\nc', version: '\u009b1' }))
  const { stdout } = await run({}, one.socket)
  expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  expect(stdout.split('\n')).toHaveLength(11)
})
