import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { settingsOf } from '../../support/settings.ts'
import { printGatewaySettings } from '../../../src/gateway/settings/print.ts'
import type { GatewaySettings } from '../../../src/gateway/settings/settings.ts'
import { SettingsError } from '../../../src/basics/settings/problems.ts'
import { Authority } from '../../support/network/certificates.ts'

const TOKEN = 'ATATT3xFfGF0-token'
const TEMPLATE = `{ name: ops, project_key: OPS, request_type_id: 25 }`

function parse(site: string, templates = TEMPLATE, { env = {}, connection = 'ops' } = {}): GatewaySettings {
  const text = `agents: [{ name: a, key: a-key-of-sixteen-characters-or-more }]
connections: [{ name: c, agent: a, command: [sh], jira: ${connection} }]
jira: { ${site}, templates: [${templates}] }`
  return settingsOf(text, env)
}

function problems(...given: Parameters<typeof parse>): string[] {
  try {
    parse(...given)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.message.split('\n').map((line) => line.replace(/^\S+\/gateway\.yaml:\d+:\d+ /, ''))
  }
  return []
}

const site = (url: string, more = '') => `url: '${url}', user: ops@example.test, api_token: ${TOKEN}${more}`
const usual = site('https://jira.example/')

describe('jira of gateway.yaml', () => {
  it('is a site with templates, whose names and defaults are those of hoop', () => {
    const { jira, connections } = parse(usual)
    expect(jira).toMatchObject({ url: 'https://jira.example', user: 'ops@example.test', timeoutMs: 30_000 })
    expect(jira?.token.reveal()).toBe(TOKEN)
    expect(jira?.templates).toEqual([
      {
        ...{ name: 'ops', description: '', project_key: 'OPS', request_type_id: '25' },
        ...{ issue_transition_name_on_close: 'done', skip_transition_on_nonzero_exit_code: false },
        ...{ mapping_types: { items: [] }, prompt_types: { items: [] }, cmdb_types: { items: [] } },
      },
    ])
    expect(connections[0]?.jira).toBe(jira?.templates[0])
  })

  it('is what the docs show', () => {
    const docs = readFileSync(new URL('../../../docs/gateway.md', import.meta.url), 'utf8')
    const [, yaml = ''] = /^Write a ticket for each run:\n\n```yaml\n([^]*?)^```/m.exec(docs) ?? []
    const whole = yaml
      .replace('file://jira.token', TOKEN)
      .replace('    jira: runs', '    jira: runs\n    agent: a\n    command: [sh]')
    const text = `agents: [{ name: a, key: a-key-of-sixteen-characters-or-more }]\n${whole}`
    const { connections } = settingsOf(text)
    expect(connections[0]?.jira?.prompt_types.items).toMatchObject([{ label: 'Why', required: true }])
  })

  it('leaves a connection without a template alone', () => {
    expect(parse(usual, TEMPLATE, { connection: '' }).connections[0]).not.toHaveProperty('jira')
  })

  it.each([
    'http://127.0.0.1:8080',
    'http://localhost:1/jira',
    'http://[::1]:80',
    'https://x.atlassian.net:8443',
  ])('has the address %s', (url) => expect(problems(site(url))).toEqual([]))

  it.each([
    'http://jira.example',
    'https://ops:secret@jira.example',
    'https://jira.example?x=1',
    'https://jira.example/#top',
    'jira.example',
    'https://',
    'ftp://jira.example',
  ])('refuses the address %s, without repeating it', (url) => {
    const [problem = '', ...more] = problems(site(url))
    expect(problem).toMatch(/^jira\.url: an address like https:\/\/NAME\.atlassian\.net, .* is expected$/)
    expect(problem).not.toContain('secret')
    expect(more).toEqual([])
  })

  it('names the templates that there are when a connection asks for another one', () => {
    expect(problems(usual, TEMPLATE, { connection: 'opps' })).toEqual([
      'connections[0].jira: unknown name; use one of these templates of jira: ops',
    ])
    const alone = `agents: [{ name: a, key: a-key-of-sixteen-characters-or-more }]
connections: [{ name: c, agent: a, command: [sh], jira: ops }]`
    expect(() => settingsOf(alone)).toThrow('no templates of jira are configured')
  })

  it.each([
    ['session.user_mail', 'did you mean session.user_email?'],
    ['nothing', 'the presets are session.id, session.user_email,'],
  ])('refuses the preset %s', (value, hint) => {
    const mapping = `{ type: preset, jira_field: summary, value: ${value} }`
    const [problem] = problems(
      usual,
      `{ name: ops, project_key: P, request_type_id: 1, mapping_types: { items: [${mapping}] } }`,
    )
    expect(problem).toContain('jira.templates[0].mapping_types.items[0].value: unknown preset; ')
    expect(problem).toContain(hint)
  })

  it.each([
    [
      'two templates of one name',
      usual,
      `${TEMPLATE}, ${TEMPLATE}`,
      'jira.templates[1].name: jira.templates[0] has this name already',
    ],
    [
      'a type that is no number',
      usual,
      '{ name: t, project_key: P, request_type_id: incident }',
      'jira.templates[0].request_type_id: the number of a request type is expected',
    ],
    [
      'a template without a project',
      usual,
      '{ name: t, request_type_id: 1 }',
      'jira.templates[0].project_key: this setting is missing',
    ],
    [
      'a field of another name',
      usual,
      '{ name: t, projectkey: P, request_type_id: 1 }',
      'jira.templates[0].projectkey: unknown setting, did you mean project_key?',
    ],
    [
      'a mapping of another type',
      usual,
      '{ name: t, project_key: P, request_type_id: 1, mapping_types: { items: [{ type: other, jira_field: a, value: b }] } }',
      'jira.templates[0].mapping_types.items[0].type: preset or custom is expected',
    ],
    [
      'a field that is no field',
      usual,
      "{ name: t, project_key: P, request_type_id: 1, prompt_types: { items: [{ jira_field: 'a b' }] } }",
      'jira.templates[0].prompt_types.items[0].jira_field: the id of a field, like summary or customfield_10050, is expected',
    ],
    [
      'a user with a colon',
      `url: https://x, user: 'a:b', api_token: ${TOKEN}`,
      TEMPLATE,
      'jira.user: a name without a colon is expected',
    ],
    [
      'a short token',
      'url: https://x, user: a, api_token: short',
      TEMPLATE,
      'jira.api_token: a token of at least 8 printable characters without spaces is expected',
    ],
    [
      'an authority that is none',
      site('https://x', ', ca: none'),
      TEMPLATE,
      'jira.ca: certificates in PEM, or better file:// and the path of their file, is expected',
    ],
    [
      'a time that is too long',
      site('https://x', ', timeout: 1h'),
      TEMPLATE,
      'jira.timeout: a duration (500ms, 10s, 5m, 1h, 7d) from 1s to 4m is expected',
    ],
  ])('refuses %s', (_, given, templates, problem) => {
    expect(problems(given, templates, { connection: '' }).join('\n')).toContain(problem)
  })

  it('says of a proxy variable that it names none, without its value', () => {
    const [problem] = problems(usual, TEMPLATE, { env: { HTTPS_PROXY: 'socks://me:secret@x' } })
    expect(problem).toBe('HTTPS_PROXY: a proxy is written http://host:port or http://user:password@host:port')
  })

  it('trusts the authority of a file, and those of the system without one', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'jira-'))
    const { certificate } = new Authority('jira')
    writeFileSync(path.join(folder, 'ca.pem'), certificate)
    const own = parse(site('https://x', `, ca: 'file://${folder}/ca.pem'`)).jira?.authorities() ?? []
    expect(own.map((pem) => pem.replaceAll(/\s/g, ''))).toEqual([certificate.replaceAll(/\s/g, '')])
    expect(parse(usual).jira?.authorities().length).toBeGreaterThan(50)
    rmSync(folder, { recursive: true })
  })

  it('is printed without its token', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'jira-'))
    const file = path.join(folder, 'gateway.yaml')
    writeFileSync(file, `jira: { ${usual}, templates: [${TEMPLATE}] }`)
    const printed = printGatewaySettings(file, {})
    expect(printed.problems).toEqual([])
    expect(JSON.stringify(printed)).not.toContain(TOKEN)
    const valueOf = (name: string) => printed.settings.find((setting) => setting.name === name)?.value
    expect([valueOf('jira.api_token'), valueOf('jira.url')]).toEqual(['<set>', 'https://jira.example/'])
    expect(valueOf('jira.templates[0].issue_transition_name_on_close')).toBe('done')
    rmSync(folder, { recursive: true })
  })
})
