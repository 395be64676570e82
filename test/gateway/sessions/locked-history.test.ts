import path from 'node:path'
import Database from 'libsql'
import { expect, it, vi } from 'vitest'
import { Sessions } from '../../../src/gateway/sessions/sessions.ts'
import { ClientSite } from '../../support/sites/client-site.ts'
import { waitFor } from '../../support/wait.ts'

// Another program, such as Litestream at a checkpoint, has the write lock of the history for a moment.

const REVIEWED = '\n  - { name: reviewed, agent: local, command: [bash], review: { groups: [admin] } }'

it('each execution, request for approval, change and terminal waits for the lock, and the gateway serves on', async () => {
  await using site = await ClientSite.start({}, REVIEWED)
  const { gateway } = site
  const other = new Database(path.join(path.dirname(gateway.settingsFile), 'state/history.sqlite'))
  other.exec('BEGIN IMMEDIATE')
  let answered = 0
  const counted = async <T>(request: Promise<T>) => request.finally(() => answered++)
  await using client = site.client('exec')
  const streamed = client.exec('echo streamed')
  const requests = [
    gateway.script('echo first'),
    gateway.exec({ file_name: 'ops/a.runbook.sh', parameters: { x: 'second' } }),
    gateway.script('echo third', { connection: 'reviewed' }),
    gateway.request('POST', '/api/users', { email: 'ann@example.test' }),
    gateway.request('POST', '/api/tokens', { name: 'one' }),
  ].map(counted)
  let turns = 0
  await waitFor(async () => {
    expect((await gateway.request('GET', '/api/sessions')).body).toMatchObject({ data: [] })
    return ++turns >= 3
  })
  expect(answered).toBe(0)
  other.exec('ROLLBACK')
  other.close()

  const answers = await Promise.all(requests)
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 201, 201])
  expect(answers[0]?.body).toMatchObject({ output: 'first\n', exit_code: 0 })
  expect(answers[1]?.body).toMatchObject({ output: 'second\n' })
  expect(answers[2]?.body).toMatchObject({ has_review: true })
  await streamed
  expect(client.received.some(({ payload }) => payload.toString().includes('streamed'))).toBe(true)
  expect(gateway.log.filter((line) => line.includes('locked'))).toEqual([])
  expect(gateway.log.find((line) => line.startsWith('session ended'))).toMatch(
    /"connection":"bash","user":"admin","exitCode":0/,
  )
  // Each change is in the audit log, and no entry is missing.
  const { body } = await gateway.request('GET', '/api/audit/logs')
  const entries = body['data'] as { action: string; resource_type: string }[]
  expect(entries.filter(({ action }) => action === 'gap')).toEqual([])
  expect(entries.filter(({ action }) => action === 'create')).toHaveLength(2)
})

it('a request for approval leaves no failed session if the lock comes between its two writes', async () => {
  await using site = await ClientSite.start({}, REVIEWED)
  const { gateway } = site
  const other = new Database(path.join(path.dirname(gateway.settingsFile), 'state/history.sqlite'))
  const begin = Object.getOwnPropertyDescriptor(Sessions.prototype, 'begin')?.value as Sessions['begin']
  const locked = vi.spyOn(Sessions.prototype, 'begin').mockImplementationOnce(function (
    this: Sessions,
    request,
  ) {
    const waiting = begin.call(this, request)
    other.exec('BEGIN IMMEDIATE')
    return waiting
  })
  const asked = gateway.script('echo never', { connection: 'reviewed' })
  await waitFor(() => other.inTransaction)
  // Answered after the first attempt of the second write has failed.
  await gateway.request('GET', '/api/sessions')
  other.exec('ROLLBACK')
  other.close()
  locked.mockRestore()
  const { body } = await asked
  const sessions = (await gateway.request('GET', '/api/sessions')).body['data'] as { id: string }[]
  expect(sessions.map(({ id }) => id)).toEqual([body['session_id']])
})
