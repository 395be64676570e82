import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { Jira } from '../../../src/gateway/jira/client.ts'
import type { AskedIssue } from '../../../src/gateway/jira/issue-rows.ts'
import { IssueMoves } from '../../../src/gateway/jira/moves.ts'
import type { History } from '../../../src/gateway/history/history.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import { JiraServer } from '../../support/scripted/jira.ts'
import { json } from '../../support/scripted/scripted-rest.ts'
import { waitFor } from '../../support/wait.ts'
import { jiraSettings, jiraTemplate, TEMPLATE } from './template.ts'

const quick = { pollMs: 5, firstMs: 5, longestMs: 20, ageMs: 24 * 60 * 60 * 1000, attempts: 3 }
const never = new AbortController().signal

let server: JiraServer
let folder: string
let history: History
let log: string[]
let moves: IssueMoves | undefined
beforeAll(async () => {
  server = await JiraServer.start()
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'moves-'))
  history = open()
  log = []
})
afterEach(async () => {
  await moves?.close()
  moves = undefined
  history.close()
  rmSync(folder, { recursive: true })
})

const open = () => openHistory(path.join(folder, 'history.sqlite'), { flushAfterMs: 5 })
const jira = () => new Jira(jiraSettings(server.settings(`{ ${TEMPLATE} }`)))
const write = (fields: object, message: string) => void log.push(`${message} ${JSON.stringify(fields)}`)
const logger = { debug: write, info: write, warn: write, error: write }

function move(timing = quick, site: Jira | undefined = jira()): IssueMoves {
  moves = new IssueMoves({ jira: () => site, history, log: logger }, timing)
  return moves
}

/** A session whose issue is in Jira. */
async function begun(id: string, wanted: Partial<AskedIssue> = {}, runs = true): Promise<string> {
  const told = { target: 'done', movesFailed: true, site: server.url, project: 'OPS' }
  const asked = { session: id, askedAt: Date.now(), gateway: 'g', request: '{}', ...told, ...wanted }
  history.write(({ issues }) => issues.ask(asked))
  const issue = await jira().create(jiraTemplate(), { summary: 'x' }, never)
  history.write(({ issues }) => issues.keep(id, issue))
  history.begin({
    ...{ id, origin: 'client', verb: 'exec', connection: 'c', connectionType: 'custom', user: 'u' },
    ...{ script: Buffer.alloc(0), labels: {}, metadata: {}, startedAt: new Date() },
  })
  if (runs) history.write(({ issues }) => issues.run(id))
  return issue.key
}

function end(id: string, exitCode = 0, endedAt = new Date()): void {
  history.finish(id, { exitCode, truncatedBytes: 0, endedAt })
}

const statusOf = (key: string) => server.issues.find((issue) => issue.key === key)?.status
const moveOf = (id: string) => history.session(id)?.issue?.move
const settled = (id: string) => waitFor(() => moveOf(id)?.status !== 'pending')

it('an issue is moved when its session has ended, and not before', async () => {
  const [first, second] = [await begun('s1'), await begun('s2')]
  expect(history.session('s1')?.issue).toMatchObject({ key: first, url: server.link(first) })
  move()
  end('s2')
  await settled('s2')
  expect([statusOf(first), statusOf(second)]).toEqual(['Open', 'Done'])
  expect(moveOf('s2')).toEqual({ status: 'done', attempts: 0, error: null })
  end('s1')
  await settled('s1')
  expect(statusOf(first)).toBe('Done')
})

it('each issue is moved once when twenty sessions end at once', async () => {
  const ids = Array.from({ length: 20 }, (_, i) => `s${i}`)
  for (const id of ids) await begun(id)
  server.rest.received.length = 0
  move()
  for (const id of ids) end(id)
  for (const id of ids) await settled(id)
  expect(server.asked.filter((one) => one.startsWith('POST'))).toHaveLength(20)
})

it('an issue stays when its session has not run, or has failed and the template says so', async () => {
  const keys = [await begun('s1', {}, false), await begun('s2', { movesFailed: false }), await begun('s3')]
  end('s1')
  end('s2', 3)
  end('s3', 3)
  move()
  for (const id of ['s1', 's2', 's3']) await settled(id)
  expect(keys.map(statusOf)).toEqual(['Open', 'Open', 'Done'])
  expect(['s1', 's2', 's3'].map((id) => moveOf(id)?.status)).toEqual(['skipped', 'skipped', 'done'])
})

it('what Jira does not take is tried again, is said meanwhile, and survives the end of the process', async () => {
  const key = await begun('s1')
  server.transitionsOf(key, json(503, {}))
  end('s1')
  const before = move()
  await waitFor(() => (moveOf('s1')?.attempts ?? 0) > 1)
  await waitFor(() => before.warning !== undefined)
  expect(before.warning).toBe('1 issue not moved in Jira yet; see the log')
  expect(moveOf('s1')).toMatchObject({
    status: 'pending',
    error: expect.stringContaining('status=503') as string,
  })
  expect(log.filter((line) => line.includes('will retry'))).toHaveLength(1)
  await before.close()
  history.close()
  history = open()
  server.transitionsOf(key, undefined)
  const after = move()
  await settled('s1')
  expect([statusOf(key), moveOf('s1')?.status]).toEqual(['Done', 'done'])
  expect(log.at(-1)).toContain('Jira issue moved after earlier failures')
  await waitFor(() => after.warning === undefined)
})

it('an issue is given up, with a warning, when no transition leads where it should', async () => {
  const key = await begun('s1', { target: 'in review' })
  end('s1')
  move()
  await settled('s1')
  const error = `unable to find a issue transition matching "in review", issue=${key}, transition-names=["In Progress" "Done" "Done"]`
  expect(moveOf('s1')).toEqual({ status: 'given-up', attempts: 0, error })
  expect(log.at(-1)).toContain('Jira issue not moved; gave up')
})

it('an issue is given up after a day, but not before some attempts: a clock may have jumped', async () => {
  const key = await begun('s1')
  server.transitionsOf(key, json(503, {}))
  end('s1', 0, new Date(Date.now() - 2 * quick.ageMs))
  move()
  await settled('s1')
  expect(moveOf('s1')).toMatchObject({ status: 'given-up', attempts: 2 })
})

it('an issue of a session that the history has removed is moved all the same', async () => {
  const key = await begun('s1')
  server.transitionsOf(key, json(503, {}))
  end('s1')
  move()
  await waitFor(() => (moveOf('s1')?.attempts ?? 0) > 0)
  while (!history.quota.removeOlder(() => Date.now() + 1000).isDone);
  expect(history.session('s1')).toBeUndefined()
  server.transitionsOf(key, undefined)
  await waitFor(() => statusOf(key) === 'Done')
  await waitFor(() => !history.read(({ issues }) => issues.has('s1')))
})

it('an issue of another site is given up, and one waits while gateway.yaml has no site', async () => {
  const key = await begun('s1', { site: 'https://other.example' })
  await begun('s2')
  end('s1')
  move()
  await settled('s1')
  expect(moveOf('s1')).toMatchObject({
    status: 'given-up',
    error: 'the issue belongs to another site, https://other.example',
  })
  expect(statusOf(key)).toBe('Open')
  await moves?.close()
  moves = new IssueMoves({ jira: () => undefined, history, log: logger }, quick)
  end('s2')
  await waitFor(() => moveOf('s2')?.error === 'jira was removed from gateway.yaml')
  expect(moveOf('s2')?.status).toBe('pending')
})

it('a call that is under way when the gateway stops is made again by the next', async () => {
  const key = await begun('s1')
  const asked: string[] = []
  server.transitionsOf(key, ({ method }) => void asked.push(method))
  end('s1')
  const before = move()
  await waitFor(() => asked.length > 0)
  await before.close()
  expect(moveOf('s1')).toEqual({ status: 'pending', attempts: 0, error: null })
  server.transitionsOf(key, undefined)
  move()
  await settled('s1')
  expect(statusOf(key)).toBe('Done')
})
