import { describe, expect, it } from 'vitest'
import type { Parameter } from '../../../web/src/form/parameters.ts'
import { parseTemplate } from '../../../src/template/runbook.ts'
import { shownScript } from '../../../web/src/form/secrets.ts'

const password: Parameter = {
  ...{ name: 'password', type: 'password', required: true, description: '', placeholder: '' },
  ...{
    default: undefined,
    requiredText: undefined,
    pattern: undefined,
    options: [],
    minLength: undefined,
    maxLength: undefined,
  },
}

describe('shownScript', () => {
  it('shows a script without its secrets, also where they are quoted or encoded', () => {
    const secret = "it's secret"
    const script = [
      `a=${secret}`,
      `b='it'\\''s secret'`,
      `c='it''s secret'`,
      `d=${Buffer.from(secret).toString('base64')}`,
      `e=${encodeURIComponent(secret)}`,
      'f=tokens',
      'g=--x',
    ].join('\n')
    const rendered = {
      ...{ repository: 'r', commit: 'c', connection: 'bash', env_vars: [], client_args: [] },
      ...{ script, secret_parameters: ['api_token'] },
    }
    const shown = shownScript(rendered, [password], { password: secret, api_token: 'tokens' })
    expect(shown.text).toBe("a=••••••\nb='••••••'\nc='••••••'\nd=••••••\ne=••••••\nf=••••••\ng=--x")
  })

  it('hides a secret from six bytes on, as the agent does: a hyphen is everywhere', () => {
    const rendered = {
      ...{ repository: 'r', commit: 'c', connection: 'bash', env_vars: [], client_args: [] },
      ...{ script: 'ls -l 12345 üüü', secret_parameters: [] },
    }
    expect(shownScript(rendered, [password], { password: '-' }).text).toBe('ls -l 12345 üüü')
    expect(shownScript(rendered, [password], { password: '12345' }).text).toBe('ls -l 12345 üüü')
    expect(shownScript(rendered, [password], { password: 'üüü' }).text).toBe('ls -l 12345 ••••••')
  })

  it('hides nothing where there is no secret', () => {
    const rendered = {
      ...{ repository: 'r', commit: 'c', connection: 'bash', env_vars: [], client_args: [] },
      ...{ script: 'echo hello', secret_parameters: [] },
    }
    expect(shownScript(rendered, [password], { password: '' }).text).toBe('echo hello')
  })

  it('hides what a template made of a secret, and keeps the marks of the other values in their places', () => {
    const script = 'user=ada pw=2retnuh host=db'
    const marks = [
      { start: 5, end: 8, names: ['user'] },
      { start: 12, end: 19, names: ['password'] },
      { start: 25, end: 27, names: ['host'] },
    ]
    const rendered = {
      ...{ repository: 'r', commit: 'c', connection: 'bash', env_vars: [], client_args: [] },
      ...{ script, secret_parameters: [], marks },
    }
    const shown = shownScript(rendered, [password], { password: 'hunter2' })
    expect(shown.text).toBe('user=ada pw=•••••• host=db')
    expect(shown.marks.map(({ start, end }) => shown.text.slice(start, end))).toEqual(['ada', '••••••', 'db'])
  })

  it.each([
    ['{{ with .password }}a {{ . }}{{ end }} b', 'a •••••• b'],
    ['{{ with $x := .password }}{{ printf "%x" $x }}{{ end }} {{ .user }}', '•••••• ada'],
    ['{{ with $x := .password }}{{ printf "%s %s" $.user $x }}{{ end }} {{ .user }}', '•••••• ada'],
    [`{{ .user }}${'{{ .user }}'.repeat(199)} {{ .password }}`, `${'ada'.repeat(200)}••••••`],
  ])('hides what may be a short or changed secret, because its place has no name: %j', (template, text) => {
    const given = { user: 'ada', password: '1234' }
    const { bytes, places } = parseTemplate(template).render(new Map(Object.entries(given)))
    const rendered = {
      ...{ repository: 'r', commit: 'c', connection: 'bash', env_vars: [], client_args: [] },
      ...{ script: bytes.toString(), secret_parameters: [], marks: places },
    }
    expect(shownScript(rendered, [password], given).text).toBe(text)
  })

  it('gives no marks if a secret lies across the edge of one', () => {
    const rendered = {
      ...{ repository: 'r', commit: 'c', connection: 'bash', env_vars: [], client_args: [] },
      ...{ script: 'a=hunter2', secret_parameters: [], marks: [{ start: 2, end: 5, names: ['x'] }] },
    }
    expect(shownScript(rendered, [password], { password: 'hunter2' })).toEqual({
      text: 'a=••••••',
      marks: [],
    })
  })
})
