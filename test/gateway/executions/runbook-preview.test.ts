import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningAgent } from '../../support/sites/running-agent.ts'
import { RunningGateway } from '../../support/sites/running-gateway.ts'

// What a preview shows while values are missing, and that nothing runs from it.

const REFUND = [
  '{{ .token | required "the token" | type "password" | asenv "BANK_TOKEN" }}pay {{ .order_id | required "which" | squote }} \\',
  '  --amount {{ .amount }}{{ if eq .kind "late" }} --late{{ else }} --usual{{ end }} {{ .kind | options "late" "other" }}',
  '{{ .note | default "none" }}',
].join('\n')

/** Texts in which a template may write a secret, and what is shown of each. */
const SECRET_FORMS: readonly (readonly [string, string])[] = [
  ['{{ .pin }}', '••••••'],
  ['{{ .pin | encodeb64 }}', '••••••'],
  ['{{ .pin | squote | dquote }}', '••••••'],
  ['{{ if true }}{{ printf "%x-%s" .pin .user }}{{ end }}', '••••••'],
  ['{{ if true }}{{ print (len .pin) (slice .pin 1) }}{{ end }}', '••••••'],
  ['{{ if true }}{{ index . "pin" }}{{ end }}', '••••••'],
  ['{{ with .pin }}a {{ . }}{{ end }}', 'a ••••••'],
  ['{{ if true }}{{ $x := .pin }}{{ $x }}{{ end }}', '••••••'],
  ['{{ if true }}{{ print . }}{{ end }}', '⟨later⟩'],
  ['{{ range $name, $value := . }}{{ $value }}{{ end }}', '⟨depends on later⟩'],
]

const CONNECTIONS = `
  - { name: cat, agent: local, command: [cat], runbooks: { repository: rb } }
  - { name: reviewed, agent: local, command: [cat], review: { groups: [dba] }, runbooks: { repository: rb } }`

let gateway: RunningGateway
let agent: RunningAgent
beforeAll(async () => {
  gateway = await RunningGateway.start(
    {
      'ops/refund.runbook.sh': REFUND,
      'ops/plain.runbook.sh':
        'echo {{ .a | required "a" }} ü {{ .b | shellquote }}{{ range 3 }}{{ with $.a }}{{ . }}{{ end }}{{ end }}',
      'ops/may.runbook.sh':
        'echo {{ .user }} {{ .mode | squote }}{{ if eq .mode "x" }}{{ .user | asenv "API_TOKEN" }}{{ end }}',
      'ops/many.runbook.sh': `{{ .later | asenv "LATER" }}${'{{ .user }}'.repeat(200)}{{ .pin }} end`,
      'ops/elsewhere.runbook.sh': '{{ .later }} {{ .password }} it is open-sesame',
      ...Object.fromEntries(
        SECRET_FORMS.map(([text], at) => [
          `secret/${at}.runbook.sh`,
          `{{ .later | asenv "LATER" }}{{ .user | asenv "NAME" }}${text}`,
        ]),
      ),
    },
    { connections: CONNECTIONS },
  )
  agent = await RunningAgent.start(gateway.agentUrl)
  await agent.serving()
  // The repository's git process starts with the first read and stays.
  await gateway.request('GET', '/api/runbooks')
})
afterAll(async () => {
  await agent[Symbol.asyncDispose]()
  await gateway[Symbol.asyncDispose]()
})

const preview = (file: string, parameters: object, more: object = {}) =>
  gateway.request('POST', '/api/runbooks/render', {
    ...{ connection_name: 'cat', file_name: file, parameters, incomplete: true, ...more },
  })

describe('a preview of a runbook', () => {
  it('shows the template before any value is there, and says what is missing', async () => {
    const { status, body } = await preview('ops/refund.runbook.sh', {})
    expect([status, body['missing']]).toEqual([200, ['token', 'order_id', 'amount', 'kind']])
    expect(body['script']).toBe('pay ⟨order_id⟩ \\\n  --amount ⟨amount⟩⟨depends on kind⟩ ⟨kind⟩\nnone')
    expect(body['env_vars']).toEqual(['envvar:BANK_TOKEN'])
    const { script, gaps, marks } = body as { script: string; gaps: Gap[]; marks: Gap[] }
    expect(
      gaps.map(({ start, end, names, is_part: isPart }) => [script.slice(start, end), names, isPart]),
    ).toEqual([
      ['⟨order_id⟩', ['order_id'], false],
      ['⟨amount⟩', ['amount'], false],
      ['⟨depends on kind⟩', ['kind'], true],
      ['⟨kind⟩', ['kind'], false],
    ])
    expect(marks.map(({ start, end }) => script.slice(start, end))).toEqual(['none'])
  })

  it('fills each place as its value comes, and takes an empty required value for missing', async () => {
    const some = { order_id: '4711', amount: '5', kind: 'late', token: '' }
    const { body } = await preview('ops/refund.runbook.sh', some)
    expect([body['missing'], body['script']]).toEqual([
      ['token'],
      "pay '4711' \\\n  --amount 5 --late late\nnone",
    ])
    expect(body).not.toHaveProperty('gaps')
  })

  it('is byte for byte what the agent gets, if no value is missing and none is secret', async () => {
    const parameters = { a: '⟨b⟩ "x" ü', b: "it's ⟨depends on a⟩" }
    const shown = await preview('ops/plain.runbook.sh', parameters)
    const ran = await gateway.exec({ file_name: 'ops/plain.runbook.sh', parameters }, 'cat')
    expect(ran.body['output_status']).toBe('success')
    expect([shown.body['missing'], shown.body['script']]).toEqual([[], ran.body['output']])
    expect(shown.body).not.toHaveProperty('gaps')
  })

  it('is refused for a missing value unless it may be incomplete, and for a wrong value always', async () => {
    const missing = await preview('ops/refund.runbook.sh', { kind: 'late' }, { incomplete: false })
    expect([missing.status, missing.body]).toMatchObject([
      400,
      { code: 'invalid-parameters', message: 'the following inputs are missing [amount order_id token]' },
    ])
    const wrong = await preview('ops/refund.runbook.sh', { kind: 'sometimes' })
    expect([wrong.status, wrong.body]).toMatchObject([
      400,
      { code: 'invalid-parameters', message: 'parameter kind has to be one of late, other' },
    ])
    const unread = await preview('ops/refund.runbook.sh', {}, { incomplete: 'yes' })
    expect(unread.body).toMatchObject({ code: 'invalid-request' })
  })

  it('lets nothing run, wait for approval or be recorded: a run with missing values is refused as before', async () => {
    const sessions = async () => (await gateway.request('GET', '/api/sessions')).body['total']
    const before = await sessions()
    await preview('ops/refund.runbook.sh', {})
    const asked = { file_name: 'ops/refund.runbook.sh', parameters: { kind: 'late' }, incomplete: true }
    const refused = [
      await gateway.exec(asked, 'cat'),
      await gateway.exec(asked, 'reviewed'),
      await gateway.request('POST', '/api/runbooks/exec', {
        ...{ ...asked, connection_name: 'cat', repository: 'rb' },
      }),
      await gateway.request('POST', '/api/batches', { ...asked, connections: ['cat', 'reviewed'] }),
    ]
    expect(refused.map(({ status, body }) => [status, body['code'], body['message']])).toEqual(
      refused.map(() => [
        400,
        'invalid-parameters',
        'the following inputs are missing [amount order_id token]',
      ]),
    )
    expect(await sessions()).toBe(before)
    expect(await gateway.request('GET', '/api/reviews')).toMatchObject({ body: [] })
  })
})

describe('the secrets of a preview', () => {
  it.each(SECRET_FORMS.map(([text, shown], at) => [text, shown, at] as const))(
    'are not in its answer, however short and however %s writes them, before and after the last value is there',
    async (_, shown, at) => {
      const pin = '4711'
      const given = { pin, user: 'ada' }
      const early = await preview(`secret/${at}.runbook.sh`, given)
      expect([early.body['missing'], early.body['script']]).toEqual([['later'], shown])
      const whole = await preview(`secret/${at}.runbook.sh`, { ...given, later: 'now' })
      expect(whole.body['missing']).toEqual([])
      for (const { body } of [early, whole])
        expect(JSON.stringify(body)).not.toMatch(/4711|711|34373131|NDcxMQ/)
    },
  )

  it('are hidden after the last place that is counted, and outside of expressions as in the history', async () => {
    const many = await preview('ops/many.runbook.sh', { user: 'a', pin: '4711' })
    expect(many.body['script']).toBe(`${'a'.repeat(200)}••••••`)
    const elsewhere = await preview('ops/elsewhere.runbook.sh', { password: 'open-sesame' })
    expect(elsewhere.body['script']).toBe('⟨later⟩ •••••• it is [REDACTED]')
  })

  it('are all values, as long as a block that is left out may set a secret variable', async () => {
    const early = await preview('ops/may.runbook.sh', { user: 'ada' })
    expect(early.body['script']).toBe('echo •••••• ⟨mode⟩⟨depends on mode⟩')
    const open = await preview('ops/may.runbook.sh', { user: 'ada', mode: 'y' })
    expect(open.body['script']).toBe("echo ada 'y'")
    const secret = await preview('ops/may.runbook.sh', { user: 'ada', mode: 'x' })
    expect(secret.body['script']).toBe("echo •••••• 'x'")
  })
})

interface Gap {
  readonly start: number
  readonly end: number
  readonly names: readonly string[]
  readonly is_part: boolean
}
