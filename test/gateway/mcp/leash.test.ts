import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it, vi } from 'vitest'
import { waitFor } from '../../support/wait.ts'
import { MCP, MachineSite, type ToolAnswer } from './machine.ts'

const told = ({ structuredContent }: ToolAnswer) => structuredContent

interface Begun {
  readonly site: MachineSite
  /** The answer of a call that waits for the end of its run. */
  readonly call: Promise<ToolAnswer>
  /** The same for a client that reads a stream. */
  readonly streamed: Promise<string>
  readonly waiting: string
}

/** A machine with two runs whose calls are open, and a request that waits for approval. */
async function begun(site: MachineSite): Promise<Begun> {
  const name = await site.named('waits')
  const given = { connection: 'bash', parameters: { file: '/no/such/file' } }
  const call = site.call('waits', given)
  const body = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: given, _meta: { progressToken: 7 } },
  }
  const streamed = site.post(body).then((response) => response.text())
  const waiting = String(told(await site.call('disk', { connection: 'asked' }))['session_id'])
  const running = async () => {
    const runs = told(await site.call('runs'))['runs'] as { state: string }[]
    return runs.filter(({ state }) => state === 'running').length === 2
  }
  await waitFor(running)
  return { site, call, streamed, waiting }
}

const stateOf = async (site: MachineSite, id: string) =>
  ((await site.gateway.request('GET', `/api/sessions/${id}`)).body as { state: { name: string } }).state.name

it('a paused token answers its calls, ends its runs and withdraws its requests, until it is resumed', async () => {
  await using site = await MachineSite.start()
  const { call, streamed, waiting } = await begun(site)
  expect((await site.gateway.request('POST', `/api/tokens/${site.tokenId}/pause`)).status).toBe(200)
  const ended = told(await call)
  expect(ended).toMatchObject({
    code: 'token-ended',
    message: expect.stringContaining('admin paused the token') as string,
  })
  expect(await streamed).toContain('token-ended')
  await waitFor(async () => (await stateOf(site, String(ended['session_id']))) !== 'running')
  await waitFor(async () => (await stateOf(site, waiting)) === 'withdrawn')
  expect(told(await site.call('runs'))).toMatchObject({ state: 'refused', code: 'token-ended' })
  expect((await site.gateway.request('POST', `/api/tokens/${site.tokenId}/resume`)).status).toBe(200)
  expect(told(await site.call('disk', { connection: 'bash' }))).toMatchObject({ state: 'succeeded' })
})

it('a pause holds all tokens of the rotations, and so does its end', async () => {
  await using site = await MachineSite.start()
  const newer = async () =>
    (await site.gateway.request('POST', `/api/tokens/${site.tokenId}/rotate`, { overlap: 3600 })).body
  const { id, token } = await newer()
  const params = { name: 'runs', arguments: {} }
  const runs = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
  const answers = async () => {
    const bearer = { authorization: `Bearer ${String(token)}` }
    const texts = [await site.post(runs), await site.post(runs, bearer)].map((one) => one.text())
    return (await Promise.all(texts)).map((text) => text.includes('paused the token'))
  }
  for (const one of [site.tokenId, String(id)]) {
    await site.gateway.request('POST', `/api/tokens/${one}/pause`)
    expect(await answers()).toEqual([true, true])
    await site.gateway.request('POST', `/api/tokens/${one}/resume`)
    expect(await answers()).toEqual([false, false])
  }
})

it('a revoked token answers its calls, ends its runs and withdraws its requests', async () => {
  await using site = await MachineSite.start()
  const { call, streamed, waiting } = await begun(site)
  expect((await site.gateway.request('DELETE', `/api/tokens/${site.tokenId}`)).status).toBe(204)
  const ended = told(await call)
  expect(ended).toMatchObject({ code: 'token-ended', message: expect.stringContaining('revoked') as string })
  expect(await streamed).toContain('revoked')
  await waitFor(async () => (await stateOf(site, String(ended['session_id']))) !== 'running')
  await waitFor(async () => (await stateOf(site, waiting)) === 'withdrawn')
  expect((await site.post({ jsonrpc: '2.0', id: 1, method: 'ping' })).status).toBe(401)
})

it('a request of a machine is withdrawn, too, if its token is paused after a restart of the gateway', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mcp-state-'))
  const state = path.join(folder, 'state')
  try {
    let [tokenId, waiting] = ['', '']
    {
      await using site = await MachineSite.start({ state, withAgent: false })
      tokenId = site.tokenId
      waiting = String(told(await site.call('disk', { connection: 'asked' }))['session_id'])
    }
    await using site = await MachineSite.start({ state, withAgent: false, tokenName: 'second' })
    expect(await stateOf(site, waiting)).toBe('waiting-for-approval')
    await site.gateway.request('POST', `/api/tokens/${tokenId}/pause`)
    await waitFor(async () => (await stateOf(site, waiting)) === 'withdrawn')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('a token has 20 calls at once, and the others are told so', async () => {
  await using site = await MachineSite.start()
  const folder = mkdtempSync(path.join(tmpdir(), 'mcp-calls-'))
  const file = path.join(folder, 'go')
  const given = { connection: 'bash', parameters: { file } }
  const name = await site.named('waits')
  const answers = Array.from({ length: 25 }, () => site.rpc('tools/call', { name, arguments: given }))
  let refused = 0
  for (const answer of answers)
    void answer.then(({ result }) => {
      if (told(result as ToolAnswer)['code'] === 'too-much-at-once') refused += 1
    })
  await waitFor(() => refused === 5)
  writeFileSync(file, '')
  const states = (await Promise.all(answers)).map(({ result }) => told(result as ToolAnswer)['state'])
  expect(states.filter((state) => state === 'succeeded')).toHaveLength(20)
  rmSync(folder, { recursive: true })
})

it('a request_key is refused after 24 hours', async () => {
  await using site = await MachineSite.start()
  const folder = mkdtempSync(path.join(tmpdir(), 'mcp-key-'))
  const file = path.join(folder, 'marks')
  const given = { connection: 'bash', parameters: { word: 'w', file }, request_key: 'restart-web', why: 'x' }
  expect(told(await site.call('mark', given))).toMatchObject({ state: 'succeeded' })
  rmSync(file)
  const now = Date.now()
  vi.spyOn(Date, 'now').mockImplementation(() => now + 25 * 60 * 60 * 1000)
  try {
    const late = told(await site.call('mark', given))
    expect(late).toMatchObject({ state: 'refused', message: expect.stringContaining('24 hours') as string })
  } finally {
    vi.restoreAllMocks()
  }
  expect(existsSync(file)).toBe(false)
  rmSync(folder, { recursive: true })
})

it('/mcp appears and disappears with the settings, and answers 404 without them', async () => {
  await using site = await MachineSite.start({ withAgent: false, more: '' })
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
  const status = async () => {
    const response = await site.post(ping)
    await response.text()
    return response.status
  }
  expect(await status()).toBe(404)
  const users = '\n  - { name: bot, kind: machine, groups: [triage], tokens: [] }'
  site.gateway.configure({ users, more: MCP })
  await site.gateway.gateway.reload()
  expect(await status()).toBe(200)
  site.gateway.configure({ users })
  await site.gateway.gateway.reload()
  expect(await status()).toBe(404)
})

it('the audit log has each call, with a hash of its arguments and what the client says that it is', async () => {
  await using site = await MachineSite.start({ withAgent: false })
  await site.call('runs')
  const { body } = await site.gateway.request('GET', '/api/audit/logs?actor=bot')
  const entries = (body as { data: Record<string, unknown>[] }).data
  expect(entries.find((entry) => entry['resource_type'] === 'tools')).toMatchObject({
    action: 'execute',
    resource_id: 'runs',
    token_name: 'claude',
    claimed_agent: 'probe 1',
    request_payload_redacted: { arguments_hmac_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
  })
})

it('more than 40 runbooks are found by find_runbook and run by their effect', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [
      `ops/many/n${at}.runbook.sh`,
      `# Count rows of table ${at}\necho n${at}\n`,
    ]),
  )
  await using site = await MachineSite.start({
    files: { ...files, 'ops/mark.runbook.sh': '# Leave a mark\necho marked\n' },
  })
  const names = (await site.tools()).map(({ name }) => name)
  expect(names).toEqual([
    'find_runbook',
    'read_output',
    'run_change',
    'run_destroy',
    'run_read',
    'runs',
    'stop',
    'wait',
  ])
  const found = told(await site.call('find_runbook', { words: 'rows table 41' }))['runbooks'] as Record<
    string,
    unknown
  >[]
  expect(found[0]).toMatchObject({ title: 'Count rows of table 41', run_with: 'run_read' })
  const { runbook } = found[0] ?? {}
  expect(told(await site.call('run_read', { runbook, connection: 'bash' }))).toMatchObject({
    output: 'n41\n',
  })
  const [mark] = told(await site.call('find_runbook', { words: 'leave a mark' }))['runbooks'] as Record<
    string,
    unknown
  >[]
  const wrong = await site.call('run_read', { runbook: mark?.['runbook'], connection: 'bash' })
  expect(told(wrong)).toMatchObject({
    state: 'refused',
    message: expect.stringContaining('run_change') as string,
  })
  const keyed = { runbook: mark?.['runbook'], connection: 'bash', request_key: 'mark-1234', why: 'x' }
  expect(told(await site.call('run_change', keyed))).toMatchObject({ output: 'marked\n' })
})
