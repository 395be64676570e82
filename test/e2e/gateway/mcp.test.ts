import { readFileSync, rmSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { main, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

// The built program: the pipe from standard input, and a gateway that is killed (SIGKILL) with calls under way.

const MARK = `# Leave a mark
echo "begun {{ .word }}" >> "$TMPDIR/marks"
while [ -e "$TMPDIR/gate" ]; do sleep 0.05; done
echo "{{ .word }}"`

let site: Site

async function begin(): Promise<void> {
  site = await Site.start({
    connections: [{ name: 'shop', command: ['bash'], runbooks: { repository: 'books' } }],
    runbooks: { 'ops/mark.runbook.sh': MARK, 'ops/say.runbook.sh': '# Say hello\necho hello\n' },
    mcp: [
      {
        groups: ['triage'],
        runbooks: [
          { path: 'ops/mark.runbook.sh', effect: 'change' },
          { path: '**', effect: 'read' },
        ],
      },
    ],
  })
  const send = async (path: string, body: object) =>
    JSON.parse((await site.rest.send('POST', path, JSON.stringify(body))).body) as Record<string, string>
  await send('/api/users', { email: 'bot', kind: 'machine', groups: ['triage'] })
  const { token = '' } = await send('/api/tokens', { name: 'claude', user: 'bot', for: 'mcp' })
  site.place.write('mcp.token', `${token}\n`)
  site.place.write('tmp/marks', '')
}

const end = () => site[Symbol.asyncDispose]()

const pipe = (token = 'mcp.token') => ({
  command: process.execPath,
  args: [main, 'mcp', '--api-url', `http://${site.address}`, '--token-file', site.place.at(token)],
  env: { ...site.place.env },
  cwd: site.place.path,
})

interface Answer {
  readonly structuredContent?: Record<string, unknown>
  readonly content?: unknown
}

describe('runbook-agent mcp', () => {
  beforeAll(begin)
  afterAll(end)

  const v2 = (mode: 'auto' | 'legacy') => {
    const client = new Client({ name: 'probe', version: '2' }, { versionNegotiation: { mode } })
    return { client, transport: new StdioClientTransport(pipe()) }
  }
  it.each(['auto', 'legacy'] as const)(
    'serves the official client over its standard input (%s)',
    async (mode) => {
      const { client, transport } = v2(mode)
      await client.connect(transport)
      const { tools } = await client.listTools()
      const name = tools.find((tool) => tool.name.startsWith('ops_say'))?.name ?? ''
      const asked = { name, arguments: { connection: 'shop' } }
      const plain = (await client.callTool(asked)) as Answer
      const streamed = (await client.callTool(asked, { onprogress: () => undefined })) as Answer
      for (const { content, structuredContent } of [plain, streamed]) {
        expect(structuredContent).toMatchObject({ state: 'succeeded', output: 'hello\n' })
        expect(content).toEqual([{ type: 'text', text: JSON.stringify(structuredContent) }])
      }
      await client.close()
    },
  )

  it('serves the official client of 2025 over its standard input', async () => {
    const client = new OldClient({ name: 'probe', version: '1' })
    await client.connect(new OldTransport(pipe()))
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('wait')
    const answer = (await client.callTool({ name: 'runs', arguments: {} })) as Answer
    expect(answer.structuredContent).toMatchObject({ state: 'listed' })
    await client.close()
  })

  it('refuses the token of a person, a wrong token and a missing file, and says why', async () => {
    const run = (file: string) => runProgram(site.place, pipe(file).args.slice(1))
    site.place.write('wrong.token', 'rba_0000000000000000000000000000000000000000000\n')
    expect(await run('admin.token')).toMatchObject({
      code: 77,
      stdout: '',
      stderr: expect.stringContaining('--for mcp') as string,
    })
    expect((await run('wrong.token')).code).toBe(77)
    expect(await run('no.token')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('does not exist') as string,
    })
  })
})

describe('a gateway that is killed', () => {
  beforeEach(async () => {
    await begin()
    site.place.write('tmp/gate', '')
  })
  afterEach(end)

  const begun = (word: string) =>
    readFileSync(site.place.at('tmp/marks'), 'utf8')
      .split('\n')
      .filter((line) => line === `begun ${word}`).length
  const token = () => readFileSync(site.place.at('mcp.token'), 'utf8').trim()
  const call = async (name: string, given: object): Promise<Record<string, unknown> | undefined> => {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: given } }
    const headers = {
      authorization: `Bearer ${token()}`,
      'content-type': 'application/json',
      connection: 'close',
    }
    const sent = await fetch(`http://${site.address}/mcp`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    }).catch(() => undefined)
    const answer = (await sent?.json().catch(() => undefined)) as { result?: Answer } | undefined
    return answer?.result?.structuredContent
  }
  const nameOf = async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    const headers = {
      authorization: `Bearer ${token()}`,
      'content-type': 'application/json',
      connection: 'close',
    }
    const listed = await fetch(`http://${site.address}/mcp`, { method: 'POST', headers, body })
    const { result } = (await listed.json()) as { result: { tools: { name: string }[] } }
    return result.tools.find((tool) => tool.name.startsWith('ops_mark'))?.name ?? ''
  }

  it.each([
    ['as soon as 50 clients have sent one key', () => Promise.resolve()],
    ['while the run of 50 clients with one key has begun', (word: string) => waitFor(() => begun(word) > 0)],
  ])('%s runs the key at most once', async (moment, reached) => {
    const word = moment.length.toString()
    const name = await nameOf()
    const given = {
      connection: 'shop',
      parameters: { word },
      request_key: `kill-${word}-0123`,
      why: 'a test',
    }
    const calls = Array.from({ length: 50 }, () => call(name, given))
    await reached(word)
    await site.killGateway()
    await Promise.all(calls)
    rmSync(site.place.at('tmp/gate'))
    await site.startGateway()
    let last: Record<string, unknown> | undefined
    await waitFor(async () => {
      last = await call(name, given)
      return last !== undefined && last['state'] !== 'running'
    })
    expect(begun(word)).toBeLessThanOrEqual(1)
    const again = await call(name, given)
    expect(again).toMatchObject({ session_id: last?.['session_id'], repeated: true })
    expect(begun(word)).toBeLessThanOrEqual(1)
  })
})
