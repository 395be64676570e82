import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MachineSite } from './machine.ts'

interface Recorded {
  readonly request: {
    readonly method: string
    readonly headers: Record<string, string>
    readonly body?: unknown
  }
  readonly response: { readonly status: number; readonly body: string }
}

const CASES = Object.entries(
  JSON.parse(readFileSync('test/fixtures/mcp/hostile.json', 'utf8')) as Record<string, Recorded>,
)

let site: MachineSite
beforeAll(async () => {
  site = await MachineSite.start({ withAgent: false })
  await site.tools()
})
afterAll(() => site[Symbol.asyncDispose]())

/** Cases of the protocol itself. The others name tools, tasks or states that no gateway has. */
const SAME = new Set([
  ...['ok-list', 'no-meta-modern-header', 'no-protocol-header', 'no-method-header', 'no-name-header'],
  ...[
    'method-header-differs',
    'name-header-differs',
    'version-header-differs',
    'version-unknown',
    'caps-missing',
  ],
  ...[
    'info-missing',
    'legacy-bad-version-header',
    'legacy-no-init-list',
    'legacy-init-future',
    'legacy-init-2024',
  ],
  ...['accept-json-only-modern', 'not-rpc', 'id-null', 'id-float', 'unknown-method'],
  ...['ping-modern', 'initialize-modern', 'logging-setLevel', 'resources-list', 'unknown-top-field'],
  ...[
    'arguments-array',
    'task-get-legacy',
    'notification-cancelled-modern',
    'notification-unknown',
    'posted-response',
  ],
])

const codeIn = (text: string) => /"code":\s*(-?\d+)/.exec(text)?.[1]

describe('hostile bodies', () => {
  it('get the answers of the official package where the gateway has what they name', async () => {
    let compared = 0
    for (const [name, { request, response }] of CASES) {
      if (request.method !== 'POST' || !SAME.has(name)) continue
      const { authorization: _, ...headers } = request.headers
      const answer = await site.post(request.body ?? '', headers)
      const text = await answer.text()
      expect([name, answer.status, codeIn(text)]).toEqual([name, response.status, codeIn(response.body)])
      compared += 1
    }
    expect(compared).toBe(SAME.size)
  })

  it('never make the gateway fail', async () => {
    for (const [name, { request }] of CASES) {
      if (request.method !== 'POST') continue
      const { authorization: _, ...headers } = request.headers
      const answer = await site.post(request.body ?? '', headers)
      await answer.text()
      expect([name, answer.status < 500]).toEqual([name, true])
    }
  })

  it('are refused when they are batches, too large, too deep, or have forbidden names', async () => {
    const call = (given: string) =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"runs","arguments":${given}}}`
    const status = async (body: string) => {
      const answer = await site.post(body)
      return [answer.status, codeIn(await answer.text())]
    }
    expect(await status(`[${call('{}')},${call('{}')}]`)).toEqual([400, '-32600'])
    expect(await status(call(`{"pad":"${'x'.repeat(1024 * 1024)}"}`))).toEqual([413, undefined])
    expect(await status(call('{"__proto__":{"a":1}}'))).toEqual([400, undefined])
    expect(await status('{"jsonrpc":')).toEqual([400, undefined])
    const deep = await site.post(call(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`))
    expect(deep.status).toBeLessThan(500)
    await deep.text()
  })

  it('that are random never make the gateway fail', async () => {
    const word = fc.constantFrom('tools/call', 'tools/list', 'initialize', 'ping', 'server/discover', 'x', '')
    const tool = fc.constantFrom(
      'runs',
      'wait',
      'stop',
      'read_output',
      'find_runbook',
      'run_read',
      '__proto__',
      'constructor',
    )
    const given = fc.dictionary(
      fc.constantFrom(
        'session_id',
        'from',
        'connection',
        'parameters',
        'dry_run',
        'request_key',
        'why',
        'words',
        'toString',
      ),
      fc.jsonValue(),
    )
    const params = fc.oneof(
      fc.jsonValue(),
      fc.record({ name: fc.oneof(tool, fc.jsonValue()), arguments: fc.oneof(given, fc.jsonValue()) }),
      fc.record({ name: tool, arguments: given, _meta: fc.dictionary(fc.string(), fc.jsonValue()) }),
    )
    const message = fc.record(
      {
        jsonrpc: fc.constant('2.0'),
        id: fc.oneof(fc.integer(), fc.string(), fc.jsonValue()),
        method: word,
        params,
      },
      { requiredKeys: ['jsonrpc'] },
    )
    const body = fc.oneof({ weight: 5, arbitrary: message }, fc.jsonValue())
    await fc.assert(
      fc.asyncProperty(body, async (sent) => {
        const answer = await site.post(JSON.stringify(sent))
        await answer.text()
        expect(answer.status).toBeLessThan(500)
      }),
      { numRuns: 300 },
    )
    expect(site.gateway.log.filter((line) => line.includes('this is a bug'))).toEqual([])
  })
})
