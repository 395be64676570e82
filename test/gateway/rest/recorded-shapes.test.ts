import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'

// Answers recorded from a hoop gateway, beside those of the embedded one: the same fields of the same types.

let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  gateway = await RunningGateway.start({
    'ops/a.runbook.sh': 'echo a',
    'ops/bad.runbook.sh': 'echo {{ squote .x }}',
    'ops/full.runbook.sh':
      '{{ .id | description "the id" | maxlength "5" | minlength "1" | order "1" | placeholder "42" | type "number" | required "x" }}' +
      '{{ .env | default "dev" | options "dev" "prod" | order "2" | type "select" }}{{ .f | type "file" | asenv "FILE" }}',
  })
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
  // The repository's git process starts with the first read and stays: it is no leak of a test.
  await gateway.request('GET', '/api/runbooks')
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

function recorded(name: string): unknown {
  const file = new URL(`../../fixtures/recorded-shapes/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')) as unknown
}

/** Each path with the type of what stands there; a list is as its elements are together. */
function shapeOf(value: unknown, at = ''): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((element) => shapeOf(element, `${at}[]`))
  if (typeof value !== 'object' || value === null) return [[at, value === null ? 'null' : typeof value]]
  return Object.entries(value).flatMap(([key, part]) => [
    [`${at}.${key}`, Array.isArray(part) ? 'list' : typeof part] as [string, string],
    ...shapeOf(part, `${at}.${key}`),
  ])
}

/** Ours, of each runbook. */
const OUR_FIELDS = ['.items', '.repositories[].items'].flatMap((items) => [
  `${items}[].asks`,
  `${items}[].block_metadata`,
  `${items}[].metadata.id.required_text`,
  `${items}[].confirm`,
])

function expectShape(answer: unknown, name: string, ours: readonly string[] = []): void {
  const [here, there] = [answer, recorded(name)].map((value) => new Map(shapeOf(value)))
  const paths = (shape: Map<string, string> | undefined) => [...(shape?.keys() ?? [])].sort()
  expect(paths(here).filter((path) => !ours.includes(path))).toEqual(paths(there))
  for (const [path, type] of there ?? []) expect([path, here?.get(path)]).toEqual([path, type])
}

const script = 'printf "a\\tb\\n"; echo err >&2; exit 3'

it('a session is as recorded, with nine fields of ours', async () => {
  const request = { metadata: { n: '1' }, labels: { l: '1' }, session_batch_id: 'b1', correlation_id: 'c-1' }
  const { body } = await gateway.script(script, request)
  const session = await gateway.request('GET', `/api/sessions/${String(body['session_id'])}`)
  const state = ['', '.name', '.text', '.by', '.lock', '.since', '.agent', '.until'].map(
    (field) => `.state${field}`,
  )
  const counts = ['.truncated_bytes', '.redacted_bytes']
  expectShape(session.body, 'session', [
    '.origin',
    '.port',
    ...counts,
    '.jira_transition',
    '.approved_at',
    '.began_at',
    '.may_read_output',
    ...state,
  ])
  expect(session.body).toMatchObject({ script_size: 41, exit_code: 3, script: { data: script } })
  const list = await gateway.request('GET', '/api/sessions?batch_id=b1')
  expectShape({ ...list.body, data: [] }, 'session-list')
  const { may_read_output: _, ...listed } = session.body
  expect(list.body['data']).toEqual([{ ...listed, script: null, script_line: expect.any(String) as string }])
})

it('a link for a download is as recorded', async () => {
  const { body } = await gateway.script('echo')
  const url = `/api/sessions/${String(body['session_id'])}?extension=csv&newline=1&events=o,e`
  const link = await gateway.request('GET', url)
  expectShape(link.body, 'download-link')
  const options = (from: unknown) => [
    ...new URL(String((from as Record<string, string>)['download_url'])).searchParams.entries(),
  ]
  const withoutToken = (from: unknown) => options(from).filter(([name]) => name !== 'token')
  expect(withoutToken(link.body)).toEqual(withoutToken(recorded('download-link')))
})

it('a list of runbooks is as recorded, with patterns besides', async () => {
  const { body } = await gateway.request('GET', '/api/runbooks?list_connections=true')
  const only = (from: unknown) => ({
    ...(from as object),
    items: ((from as Record<string, unknown>)['items'] as { name: string }[]).filter(
      ({ name }) => name !== 'ops/a.runbook.sh',
    ),
  })
  const [repository] = body['repositories'] as object[]
  expectShape(
    { ...only(body), repositories: [only(repository)], errors: ['text'] },
    'runbooks-v2',
    OUR_FIELDS,
  )
  const first = await gateway.request('GET', '/api/plugins/runbooks/templates')
  expectShape(only(first.body), 'runbooks-v1', OUR_FIELDS)
  const full = (from: unknown) =>
    ((from as Record<string, unknown>)['items'] as { name: string; metadata: object }[]).find(({ name }) =>
      name.endsWith('full.runbook.sh'),
    )?.metadata
  const { id, ...others } = full(recorded('runbooks-v2')) as { readonly id: object }
  expect(full(body)).toEqual({ ...others, id: { ...id, required_text: 'x' } })
})

it('each rule and configuration is that of the file, for reading, without secrets', async () => {
  const rules = await gateway.request('GET', '/api/runbooks/rules')
  const rule = { id: 'bash', name: 'bash', connections: ['bash'], user_groups: [], description: '' }
  const runbooks = [{ repository: 'rb', name: 'ops/' }]
  expect(rules.body).toMatchObject([{ ...rule, runbooks }])
  expect((await gateway.request('GET', '/api/runbooks/rules/bash')).body).toMatchObject(rule)
  expect(await gateway.request('GET', '/api/runbooks/rules/nope')).toEqual({
    status: 404,
    body: { message: 'runbook rule not found', code: 'rule-not-found' },
  })
  const { body } = await gateway.request('GET', '/api/runbooks/configurations')
  const configured = { repository: 'rb', git_url: gateway.repository, git_password: '' }
  expect(body).toMatchObject({ repositories: [configured] })
})
