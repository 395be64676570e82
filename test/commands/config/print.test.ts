import { describe, expect, it } from 'vitest'
import type { PrintedSetting } from '../../../src/basics/settings/json-schema.ts'
import { printSettings } from '../../../src/config/print.ts'
import { settings } from '../../../src/config/table.ts'
import { Authority } from '../../support/network/certificates.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const SECRET = 'xagt-hush-0123456789'
const KEY = `grpc://tester:${SECRET}@127.0.0.1:8010?mode=standard`

describe('the settings as they are', () => {
  it('are all of the table, in its order, each with what it is without being given', () => {
    using place = new Workplace()
    const all = printed(place, '')
    expect([...all.keys()]).toEqual(settings.map(({ name }) => name))
    expect(all.get('drain')).toEqual({ name: 'drain', value: '60s', from: 'default', place: null })
    expect(all.get('output.cap')).toMatchObject({ value: '10MiB', from: 'default' })
    expect(all.get('allow-plaintext')).toMatchObject({ value: 'false', from: 'default' })
    expect(all.get('log.encoding')).toMatchObject({ value: 'json', from: 'default' })
    expect(all.get('limits.memory')).toEqual({
      name: 'limits.memory',
      value: null,
      from: 'unset',
      place: null,
    })
  })

  it('name what they came from: the flag, the variable, or the place in the file, whichever is stronger', () => {
    using place = new Workplace()
    const yaml = 'drain: 5s\noutput:\n  cap: 1GiB\nkill.grace: 7s\nlog.level: trace\n'
    const env = { RUNBOOK_AGENT_KILL_GRACE: '8s', LOG_LEVEL: 'warn', RUNBOOK_AGENT_DRAIN: '6s' }
    const all = printed(place, yaml, env, { drain: '90s' })
    const file = place.at('agent.yaml')
    expect(all.get('drain')).toEqual({ name: 'drain', value: '90s', from: 'flag', place: '--drain' })
    expect(all.get('kill.grace')).toMatchObject({
      value: '8s',
      from: 'variable',
      place: 'RUNBOOK_AGENT_KILL_GRACE',
    })
    expect(all.get('log.level')).toMatchObject({ value: 'warn', from: 'variable', place: 'LOG_LEVEL' })
    expect(all.get('output.cap')).toMatchObject({ value: '1GiB', from: 'file', place: `${file}:3:8` })
  })

  it('never show a secret, nor a PEM text, in which a private key may be', () => {
    using place = new Workplace()
    const { certificate, key } = new Authority('tests').issue({ names: ['agent'] })
    const encoded = Buffer.from(certificate).toString('base64')
    const env = {
      ...{ HOOP_KEY: KEY, TOKEN: `${SECRET}-token`, RUNBOOK_AGENT_TLS_KEY: key },
      ...{ RUNBOOK_AGENT_TLS_CERT: `${certificate}${key}`, HOOP_TLSCA: `base64://${encoded}` },
    }
    const all = printed(place, '', env)
    for (const name of ['key', 'token', 'tls.key', 'tls.cert', 'tls.ca'])
      expect(all.get(name)).toMatchObject({ value: '<set>', from: 'variable' })
    const text = JSON.stringify([...all.values()])
    for (const part of [SECRET, 'PRIVATE', encoded.slice(0, 40)]) expect(text).not.toContain(part)
    for (const name of ['key.pem', 'ca.pem']) place.write(name, key)
    expect(printed(place, 'tls.key: file://key.pem\n').get('tls.key')).toMatchObject({
      value: 'file://key.pem',
    })
    expect(printed(place, 'tls.ca: file://ca.pem\n').get('tls.ca')).toMatchObject({ value: 'file://ca.pem' })
  })

  it('are shown as refused when they are wrong, and as they count when only a weaker one is', () => {
    using place = new Workplace()
    const all = printed(place, 'drain: soon\nkill.grace: later\n', { RUNBOOK_AGENT_DRAIN: '6s' })
    expect(all.get('kill.grace')).toEqual({ name: 'kill.grace', value: null, from: 'refused', place: null })
    expect(all.get('drain')).toMatchObject({ value: '6s', place: 'RUNBOOK_AGENT_DRAIN' })
  })

  it('follow systemd where nothing else is given', () => {
    using place = new Workplace()
    const env = {
      RUNTIME_DIRECTORY: '/run/agent:/run/other',
      STATE_DIRECTORY: '/var/lib/agent',
      CREDENTIALS_DIRECTORY: place.at('credentials'),
    }
    const unset = printed(place, '', env)
    expect(unset.get('runtime-dir')).toMatchObject({
      value: '/run/agent',
      from: 'variable',
      place: 'RUNTIME_DIRECTORY',
    })
    expect(unset.get('state-dir')).toMatchObject({ value: '/var/lib/agent', place: 'STATE_DIRECTORY' })
    expect(unset.get('key-file')).toMatchObject({ value: null, from: 'unset' })
    const path = place.write('credentials/hoop-key', KEY)
    expect(printed(place, '', env).get('key-file')).toMatchObject({
      value: path,
      place: 'CREDENTIALS_DIRECTORY',
    })
    expect(printed(place, '', { ...env, HOOP_KEY: KEY }).get('key-file')).toMatchObject({ value: null })
    const given = printed(place, 'state-dir: /data\n', env)
    expect(given.get('state-dir')).toMatchObject({ value: '/data', from: 'file' })
  })
})

describe('runbook-agent config print', () => {
  it('prints a table for people, and a document for programs', async () => {
    using place = new Workplace()
    const file = place.write('agent.yaml', 'output: { cap: 5MiB }\n')
    const args = ['config', 'print', '--config', file, '--kill-grace', '1m']
    const human = await runProgram(place, args, { HOOP_KEY: KEY })
    expect([human.code, human.stderr]).toEqual([0, ''])
    const lines = human.stdout.split('\n')
    expect(lines[0]).toBe(`settings file: ${file}`)
    expect(lines).toHaveLength(settings.length + 2)
    for (const row of [
      /^key +<set> +HOOP_KEY$/,
      /^kill\.grace +1m +--kill-grace$/,
      /^redact +on +default$/,
      /^token +- +not set$/,
    ])
      expect(lines.map((line) => line.trimEnd())).toContainEqual(expect.stringMatching(row))
    expect(human.stdout).toMatch(/^output\.cap +5MiB +\S+agent\.yaml:1:16 *$/m)
    const json = await runProgram(place, [...args, '--json'], { HOOP_KEY: KEY })
    const document = JSON.parse(json.stdout) as {
      readonly file: string
      readonly settings: readonly PrintedSetting[]
    }
    expect([json.code, document.file, document.settings.length]).toEqual([0, file, settings.length])
    expect(human.stdout + json.stdout).not.toContain(SECRET)
  })

  it('shows what there is and exits with 78 when start could not use it', async () => {
    using place = new Workplace()
    const file = place.write('agent.yaml', 'drain: soon\n')
    const { code, stdout, stderr } = await runProgram(place, ['config', 'print', '--json', '--config', file])
    const { problems } = JSON.parse(stdout) as { readonly problems: readonly string[] }
    expect([code, problems.length, stderr]).toEqual([78, 2, `runbook-agent: ${problems.join('\n')}\n`])
    expect(problems).toContainEqual(expect.stringMatching(/agent\.yaml:1:8 drain: a duration/))
    const human = await runProgram(place, ['config', 'print', '--config', file])
    expect(human.stdout).toMatch(/^drain +- +refused, see below *$/m)
    expect(human.stdout).toMatch(/^log\.encoding +- +not set *$/m)
  })
})

describe("runbook-agent config print with a gateway's settings", () => {
  it('prints each as it is written, by default, or as not set, and no secret', async () => {
    using place = new Workplace()
    const file = place.write('any.yaml', GATEWAY)
    const { code, stdout, stderr } = await runProgram(place, ['config', 'print', file], { KEY: SECRET })
    expect([code, stderr]).toEqual([0, ''])
    const lines = stdout.split('\n').map((line) => line.trimEnd().replaceAll(/ {2,}/g, '  '))
    expect(lines[0]).toBe(`settings file: ${file}`)
    for (const line of [
      `listen.http  127.0.0.1:0  ${file}:1:17`,
      'listen.grpc  127.0.0.1:8010  default',
      `users[0].token  <set>  ${file}:2:31`,
      `agents[0].key  env://KEY  ${file}:3:27`,
      `repositories[0].url  https://git.example/ops.git  ${file}:4:34`,
      'repositories[0].branch  -  not set',
      `connections[0].command  ["psql","-X"]  ${file}:8:14`,
      `connections[0].env.PASS  <set>  ${file}:9:18`,
      'connections[0].files  -  not set',
      'connections[0].runbooks  -  not set',
      'connections[0].access.runbooks  true  default',
      'limits.wait  50s  default',
    ])
      expect(lines).toContain(line)
    expect(stdout).not.toMatch(/hush/)
  })

  it('shows what is wrong as refused, says why, and exits with 78', async () => {
    using place = new Workplace()
    const file = place.write('gateway.yaml', 'limits: { wait: 5x, bdy: 1KiB }\nusers: admin\n')
    const args = ['config', 'print', '--json', file]
    const { code, stdout, stderr } = await runProgram(place, args)
    const document = JSON.parse(stdout) as {
      settings: readonly PrintedSetting[]
      problems: readonly string[]
    }
    expect([code, stderr]).toEqual([78, `runbook-agent: ${document.problems.join('\n')}\n`])
    expect(document.problems).toContainEqual(expect.stringContaining('gateway.yaml:1:21 limits.bdy: unknown'))
    for (const name of ['limits.wait', 'users'])
      expect(document.settings).toContainEqual({ name, value: null, from: 'refused', place: null })
  })

  it.each([
    [['--gateway'], 'needs a path'],
    [['--gateway', 'gateway.yaml', '--drain', '5s'], 'omit the options that are settings of an agent'],
    [['agent.yaml', '--config', 'agent.yaml'], 'use either --config or the argument agent.yaml, not both'],
  ])('refuses %j', async (args, reason) => {
    using place = new Workplace()
    place.write('gateway.yaml', GATEWAY)
    place.write('agent.yaml', 'drain: 5s\n')
    const ended = await runProgram(place, ['config', 'print', ...args])
    expect(ended).toMatchObject({ code: 64, stdout: '' })
    expect(ended.stderr).toContain(reason)
  })
})

const GATEWAY = `listen: { http: 127.0.0.1:0 }
users: [{ name: admin, token: ${SECRET} }]
agents: [{ name: db, key: env://KEY }]
repositories: [{ name: ops, url: https://me:hush@git.example/ops.git }]
connections:
  - name: pg
    agent: db
    command: [psql, -X]
    env: { PASS: hush }
`

/** With a file of this text, and nothing of the test's own environment. */
function printed(
  place: Workplace,
  yaml: string,
  env: NodeJS.ProcessEnv = {},
  flags: Readonly<Record<string, string>> = {},
): ReadonlyMap<string, PrintedSetting> {
  const RUNBOOK_AGENT_CONFIG = place.write('agent.yaml', yaml)
  const source = { flags, env: { RUNBOOK_AGENT_CONFIG, ...env }, stderrIsTty: false }
  return new Map(printSettings(source, 'json').settings.map((setting) => [setting.name, setting]))
}
