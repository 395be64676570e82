import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import http from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clientOf, printed } from '../../../support/sites/client-site.ts'
import { loadSettings } from '../../../../src/gateway/settings/load.ts'
import { Reload } from '../../../../src/gateway/settings/reload.ts'
import { Workplace } from '../../../support/sites/workplace.ts'
import type { GatewaySettings } from '../../../../src/gateway/settings/settings.ts'
import { Logbook } from '../../../support/logbook.ts'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import {
  agentKey,
  otherToken,
  RunningGateway,
  type RunningGatewayOptions,
} from '../../../support/sites/running-gateway.ts'
import { ScriptedAgent } from '../../../support/scripted/scripted-agent.ts'
import { found, waitFor } from '../../../support/wait.ts'

const options: RunningGatewayOptions = { limits: '{ agent-wait: 300ms }' }

let gateway: RunningGateway
beforeEach(async () => {
  gateway = await RunningGateway.start({}, options)
})
afterEach(() => gateway[Symbol.asyncDispose]())

const reload = (more: RunningGatewayOptions = {}) => {
  gateway.configure({ ...options, ...more })
  return gateway.request('POST', '/api/reload')
}
const other = { authorization: `Bearer ${otherToken}` }
const shell = (name: string, agent = 'local') => `\n  - { name: ${name}, agent: ${agent}, command: [bash] }`
const ada = '\n  - { name: ada, token: the-token-of-ada-0123456789 }'

describe('what is read again', () => {
  it('is in force with the answer, which names what is new, other and gone', async () => {
    const asAda = { authorization: 'Bearer the-token-of-ada-0123456789' }
    expect((await gateway.request('GET', '/api/connections', undefined, asAda)).status).toBe(401)
    const first = await reload({ users: ada, connections: shell('one') + shell('two') })
    expect(first.body).toMatchObject({
      changes: [
        { setting: 'users', added: ['ada'], removed: [], changed: [] },
        { setting: 'connections', added: ['one', 'two'], removed: [], changed: [] },
      ],
      restart_required: [],
    })
    const seen = await gateway.request('GET', '/api/connections', undefined, asAda)
    expect(seen.body).toMatchObject([{ name: 'bash' }, { name: 'one' }, { name: 'two' }])
    const second = await reload({
      connections: `${shell('two').replace('bash', 'sh')}${shell('three')}`,
      limits: '{ wait: 2s, batch-parallel: 3 }',
    })
    expect(second.body['changes']).toEqual([
      { setting: 'users', added: [], removed: ['ada'], changed: [] },
      { setting: 'connections', added: ['three'], removed: ['one'], changed: ['two'] },
      { setting: 'limits', added: [], removed: [], changed: ['wait', 'agent-wait', 'batch-parallel'] },
    ])
    expect((await gateway.request('GET', '/api/connections', undefined, asAda)).status).toBe(401)
    expect((await gateway.request('GET', '/api/connections/one')).status).toBe(404)
    expect(
      (
        await reload({
          connections: `${shell('two').replace('bash', 'sh')}${shell('three')}`,
          limits: '{ wait: 2s, batch-parallel: 3 }',
        })
      ).body['changes'],
    ).toEqual([])
    expect(gateway.log.filter((line) => line.startsWith('settings reloaded'))).toEqual([
      'settings reloaded {"changes":["users +ada","connections +one +two"]}',
      'settings reloaded {"changes":["users -ada","connections +three -one ~two","limits ~wait ~agent-wait ~batch-parallel"]}',
      'settings reloaded {"changes":[]}',
    ])
  })

  it('is for admins', async () => {
    gateway.configure({ ...options, connections: shell('one') })
    const refused = await gateway.request('POST', '/api/reload', undefined, other)
    expect(refused).toEqual({ status: 403, body: { code: 'not-permitted', message: 'access denied' } })
    expect((await gateway.request('GET', '/api/connections/one')).status).toBe(404)
  })

  it('leaves everything as it was when the file cannot be used, and says where, without a secret', async () => {
    const broken = `\n  - { name: one, agent: nobody, command: [bash], env: { PASSWORD: hunter2-hunter2 } }`
    const answer = await reload({ users: '\n  - { name: eve, token: short }', connections: broken })
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-settings' } })
    const message = String(answer.body['message'])
    expect(message.split('\n')).toEqual([
      expect.stringMatching(/gateway\.yaml:8:25 users\[2\]\.token: a secret of at least 16 /),
    ])
    const second = await reload({ connections: broken })
    expect(second.body['message']).toMatch(
      /gateway\.yaml:\d+:\d+ connections\[1\]\.agent: unknown name; use one of these agents: local$/,
    )
    writeFileSync(gateway.settingsFile, 'users: [\n')
    expect((await gateway.request('POST', '/api/reload')).body['message']).toMatch(/gateway\.yaml:2:1: /)
    expect(gateway.log.join('\n') + message).not.toMatch(/short\b|hunter2/)
    expect(gateway.log.filter((line) => line.startsWith('settings not reloaded'))).toHaveLength(3)
    expect((await gateway.request('GET', '/api/connections')).body).toMatchObject([{ name: 'bash' }])
  })

  it('is no file that somebody has emptied to write it anew', async () => {
    writeFileSync(gateway.settingsFile, '')
    const answer = await gateway.request('POST', '/api/reload')
    expect(answer.body['message']).toMatch(/gateway\.yaml: the file has no users, agents and connections; /)
    expect(answer.status).toBe(422)
  })

  it('is what the file says when it is written to its end', async () => {
    const texts = ['users: [', 'connections: []', 'limits: { wait: 1s }', 'limits: { wait: 10s }']
    using place = new Workplace()
    const parse = (text: string) => loadSettings(place.write('gateway.yaml', text), {})
    const read = () => parse(texts[0] ?? '')
    const seen: GatewaySettings[] = []
    const source = {
      file: 'gateway.yaml',
      read: () => {
        try {
          return read()
        } finally {
          if (texts.length > 1) texts.shift()
        }
      },
    }
    const apply = (settings: GatewaySettings) => Promise.resolve(void seen.push(settings))
    const settings = { value: parse('') }
    await new Reload({ source, settings, apply, waiting: () => [], log: new Logbook() }).run()
    expect(seen.map(({ limits }) => limits.waitMs)).toEqual([10_000])
    let number = 0
    texts[0] = ''
    const restless = {
      ...source,
      read: () => parse(`limits: { wait: ${++number}s }`),
    }
    const services = { source: restless, settings, apply, waiting: () => [], log: new Logbook() }
    await expect(new Reload(services).run()).rejects.toThrow(
      'gateway.yaml: the file, or a file that it refers to, kept changing while it was read: try again',
    )
  })

  it('takes what it can, and names what the next start takes', async () => {
    gateway.configure({
      ...options,
      host: 'localhost',
      listen: 'metrics: localhost:0',
      connections: shell('one'),
    })
    const before = gateway.gateway.http
    const answer = await gateway.request('POST', '/api/reload')
    expect(answer.body).toMatchObject({
      changes: [{ setting: 'connections', added: ['one'], removed: [], changed: [] }],
      restart_required: ['listen.metrics', 'listen.http', 'listen.grpc'],
    })
    expect(gateway.log).toContainEqual(
      'some settings take effect only at the next start {"settings":["listen.metrics","listen.http","listen.grpc"]}',
    )
    expect(gateway.gateway.http).toBe(before)
  })

  it('bounds what comes from now on', async () => {
    const big = { script: 'x'.repeat(3000), connection: 'bash' }
    await reload({ limits: '{ body: 2KiB, agent-wait: 0s }' })
    const refused = await gateway.request('POST', '/api/sessions', big)
    expect(refused).toEqual({ status: 413, body: { code: 'too-large', message: 'request body: too large' } })
    const chunked = await post(`${gateway.gateway.http}/api/sessions`, JSON.stringify(big))
    expect(chunked).toBe(413)
    await reload({ limits: '{ body: 4KiB, agent-wait: 0s }' })
    expect((await gateway.request('POST', '/api/sessions', big)).body['code']).toBe('agent-offline')
  })
})

describe('reloads that meet', () => {
  it('come one after the other, and those that wait share the next one', async () => {
    gateway.configure({ ...options, connections: shell('one') })
    const first = gateway.gateway.reload()
    gateway.configure({ ...options, connections: shell('one') + shell('two') })
    const [second, third] = [gateway.gateway.reload(), gateway.gateway.reload()]
    const reports = await Promise.all([first, second, third])
    expect(reports[1]).toBe(reports[2])
    const added = reports.slice(0, 2).flatMap(({ changes }) => changes.flatMap((change) => change.added))
    expect(added).toEqual(['one', 'two'])
  })

  it('end with the gateway that stops, and none comes after it', async () => {
    await using own = await RunningGateway.start({}, options)
    own.configure({ ...options, connections: shell('one') })
    const ends = Promise.allSettled([own.gateway.reload(), own.gateway.reload()])
    await own.gateway.close()
    const late = await Promise.allSettled([own.gateway.reload()])
    const reason = expect.objectContaining({ code: 'gateway-stopped' }) as unknown
    expect([...(await ends), ...late]).toEqual([1, 2, 3].map(() => ({ status: 'rejected', reason })))
  })
})

describe('a session that runs', () => {
  it('goes on with what it began with when its connection and its user are gone', async () => {
    gateway.configure({ ...options, connections: shell('one'), users: ada })
    await gateway.gateway.reload()
    await using agent = await RunningAgent.start(gateway.agentUrl)
    await agent.serving()
    await using client = clientOf(gateway, 'connect', { 'connection-name': 'one' })
    await client.connect()
    client.type('echo pid""$$\n')
    await printed(client, 'pid')
    expect((await reload()).body['changes']).toHaveLength(2)
    client.type('echo still""here; exit 7\n')
    const { stdout, code } = await client.ended()
    expect([stdout.includes('stillhere'), code]).toEqual([true, 7])
    await using late = clientOf(gateway, 'exec', { 'connection-name': 'one' })
    await waitFor(() => late.status !== undefined)
    expect(late.status?.details).toBe('connection not found')
  })

  it('keeps its agent, which left the settings, until its end; nothing else begins there', async () => {
    await using agent = await ScriptedAgent.connected(gateway.agentUrl)
    const running = gateway.script('echo')
    const { sid } = await agent.packet('AgentSessionOpen')
    const spec = { 'gateway.session_id': sid }
    agent.send('ClientSessionOpenOK', spec)
    await agent.packet('AgentExecWriteStdin')
    expect((await reload({ localKey: 'xagt-a-new-key-for-tests-0123' })).body['changes']).toEqual([
      { setting: 'agents', added: [], removed: [], changed: ['local'] },
    ])
    expect((await gateway.script('echo')).body['code']).toBe('agent-offline')
    await using renewed = await ScriptedAgent.connected(
      gateway.agentUrl.replace(agentKey, 'xagt-a-new-key-for-tests-0123'),
    )
    agent.send('ClientWriteStdout', spec, 'to the end')
    agent.send('ClientSessionClose', { ...spec, 'client.exit_code': '0' })
    expect((await running).body).toMatchObject({ output: 'to the end', exit_code: 0 })
    await waitFor(() => agent.error !== undefined)
    expect([agent.error?.code, agent.error?.details]).toEqual([16, 'invalid authentication'])
    const next = gateway.script('echo')
    const opened = await renewed.packet('AgentSessionOpen')
    renewed.send('ClientSessionOpenOK', { 'gateway.session_id': opened.sid })
    renewed.send('ClientSessionClose', { 'gateway.session_id': opened.sid, 'client.exit_code': '3' })
    expect((await next).body['exit_code']).toBe(3)
  })

  it('sends an agent away at once that left the settings and has nothing to do', async () => {
    const key = 'xagt-another-key-0123456789'
    await reload({ agents: `{ name: second, key: ${key} }` })
    const url = gateway.agentUrl.replace(`local:${agentKey}`, `second:${key}`)
    await using agent = await ScriptedAgent.connected(url)
    await reload()
    await waitFor(() => agent.error !== undefined)
    expect(agent.error?.code).toBe(16)
    await waitFor(() => gateway.log.some((line) => line.startsWith('agent disconnected')))
  })
})

describe('a repository', () => {
  const at = (folder: string) => `{ name: more, url: ${folder} }`
  const books = `\n  - { name: books, agent: local, command: [bash], runbooks: { repository: more } }`
  const names = async () => {
    const { body } = await gateway.request('GET', '/api/runbooks?connection_name=books')
    return (body['items'] as { name: string }[] | undefined)?.map(({ name }) => name)
  }

  it('is opened, replaced by another one of its name, and closed', async () => {
    gateway.commit({ 'ops/b.runbook.sh': 'echo b' })
    expect((await reload({ repositories: at('./rb'), connections: books })).status).toBe(200)
    expect(await names()).toEqual(['ops/a.runbook.sh', 'ops/b.runbook.sh'])
    await using elsewhere = await RunningGateway.start({ 'x.runbook.sh': 'echo x' })
    const reading = Promise.all(Array.from({ length: 5 }, names))
    await reload({ repositories: at(elsewhere.repository), connections: books })
    const after = await names()
    expect(after).toEqual(['ops/a.runbook.sh', 'x.runbook.sh'])
    for (const seen of await reading) expect(seen?.[0]).toBe('ops/a.runbook.sh')
    const gone = await reload()
    expect(gone.body['changes']).toMatchObject([
      { setting: 'repositories', removed: ['more'] },
      { setting: 'connections', removed: ['books'] },
    ])
  })

  it('that cannot be read is named in the log, and taken', async () => {
    await reload({ repositories: at('./nowhere'), connections: books })
    expect(gateway.log.find((line) => line.startsWith('runbook repository cannot be read'))).toContain(
      '"more"',
    )
    const { body } = await gateway.request('GET', '/api/runbooks?connection_name=books')
    expect(body['errors']).toHaveLength(1)
  })
})

describe('what cannot work with the new settings', () => {
  const more = (runbook: string, path: string) => `
locks: [{ name: one, runbooks: ['${path}'] }]
schedules: [{ name: nightly, cron: '@yearly', connection: bash, as: admin, runbook: ${runbook} }]
`
  const told = () => gateway.log.filter((line) => /^(?:schedule: cannot|settings: a path)/.test(line))

  it('is said after the reload: a schedule without its runbook, and a path that matches none', async () => {
    gateway.commit({ 'ops/a.runbook.sh': 'echo a' })
    await reload({ more: more('ops/a.runbook.sh', 'ops/*') })
    await reload({ more: more('ops/b.runbook.sh', 'opps/*') })
    await waitFor(() => told().length === 2)
    expect(told().toSorted()).toEqual([
      expect.stringMatching(/^schedule: cannot run .*"nightly".*ops\/b\.runbook\.sh/),
      'settings: a path applies to no runbook {"reason":"lock one: runbooks: no runbook matches opps/*: did you mean ops/*?"}',
    ])
  })

  it('is said once at a start, and not again with a fetch', async () => {
    const files = { 'ops/a.runbook.sh': 'echo a' }
    await using own = await RunningGateway.start(files, { more: more('ops/a.runbook.sh', 'opps/*') })
    const lines = () => own.log.filter((line) => line.startsWith('settings: a path'))
    await waitFor(() => lines().length > 0)
    own.commit({ 'ops/b.runbook.sh': 'echo b' })
    await own.request('GET', '/api/runbooks?connection_name=bash')
    expect(lines()).toHaveLength(1)
  })
})

/** Without a length. */
async function post(url: string, body: string): Promise<number | undefined> {
  const headers = { authorization: 'Bearer a-token-for-tests-0123456789', 'transfer-encoding': 'chunked' }
  const request = http.request(url, { method: 'POST', headers, agent: false })
  request.end(body)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.resume()
  await found(() => (response.complete ? true : undefined))
  return response.statusCode
}
