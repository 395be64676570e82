import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runProgram } from '../support/sites/program.ts'
import { Workplace } from '../support/sites/workplace.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

describe('the program', () => {
  it('prints its version and its help', async () => {
    using place = new Workplace()
    for (const args of [['version'], ['--version']])
      expect(await runProgram(place, args)).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
    const help = await runProgram(place, ['--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toMatch(/sessions[^]*start[^]*doctor/)
  })

  it('prints its help when it is asked for nothing, which is no success: it was an agent once', async () => {
    using place = new Workplace()
    const help = await runProgram(place, ['--help'])
    expect(await runProgram(place, [])).toEqual({ ...help, code: 64 })
  })

  it('says in its help for every command which options there are', async () => {
    using place = new Workplace()
    for (const [command, options] of [
      ['start', ['--key-file <', '--drain <', '--config <']],
      ['gateway', ['--config <', '--json']],
      ['dev', ['--http <', '--grpc <', '--state <', '--json']],
    ] as const) {
      const { code, stdout } = await runProgram(place, [command, '--help'])
      expect(code).toBe(0)
      for (const option of options) expect(stdout).toContain(option)
    }
  })

  it.each([
    ['an unknown flag', ['--nope'], "unknown option '--nope'"],
    ['an unknown flag of a command', ['dev', '--nope'], "unknown option '--nope'"],
    ['an unknown command', ['rnu'], "unknown command 'rnu'\n(did you mean run?)"],
    [
      'an unknown command of sessions',
      ['sessions', 'kil', 'x'],
      "unknown command 'kil'\n(did you mean kill?)",
    ],
    ['a flag without its value', ['dev', '--http'], 'argument missing'],
    ['a missing flag', ['gateway'], "required option '--config <file>' not specified"],
    ['an address that is none', ['dev', '--http', 'nonsense'], '--http nonsense: must be host:port'],
  ])('exits with 64 and a reason for %s', async (_, args, reason) => {
    using place = new Workplace()
    const ended = await runProgram(place, args)
    expect(ended).toMatchObject({ code: 64, stdout: '' })
    expect(ended.stderr).toContain(reason)
  })
})

describe('a configuration error is one line that names setting and place, and exits with 78:', () => {
  it.each([
    [
      'an unknown setting',
      'userss: []\n',
      /^gateway\.yaml:1:1 userss: unknown setting, did you mean users\?/,
    ],
    ['a wrong address', 'listen:\n  http: nowhere\n', /^gateway\.yaml:2:9 listen\.http: host:port/],
    ['a wrong duration', 'limits: { wait: soon }\n', /^gateway\.yaml:1:17 limits\.wait: a duration/],
    [
      'an agent that is not there',
      'connections:\n  - name: x\n    agent: missing\n    command: [bash]\n',
      /^gateway\.yaml:3:12 connections\[0\]\.agent: unknown name; no agents are configured/,
    ],
    [
      'a file that is not there',
      'users: [{ name: a, token: file://gone }]\n',
      /^gateway\.yaml:1:27 users\[0\]\.token: the file \S+\/gone does not exist/,
    ],
    [
      'a token that is too short, and is not shown',
      'users: [{ name: a, token: short-secret }]\n',
      /^gateway\.yaml:1:27 users\[0\]\.token: (?!.*short-secret)a secret of at least 16/,
    ],
    ['broken YAML', 'users: [\n', /^gateway\.yaml:\d+:\d+: /],
  ])('%s in gateway.yaml', async (_, yaml, message) => {
    using place = new Workplace()
    place.write('gateway.yaml', yaml)
    expect(await failure(place, ['gateway', '--config', 'gateway.yaml'])).toMatch(message)
  })

  it('a gateway.yaml that is not there', async () => {
    using place = new Workplace()
    expect(await failure(place, ['gateway', '--config', 'none.yaml'])).toBe(
      'none.yaml: the file does not exist',
    )
  })

  it.each([
    ['no key', {}, /^missing HOOP_KEY environment variable: set HOOP_KEY, or key-file$/],
    [
      'a key that is none',
      { HOOP_KEY: 'open-sesame' },
      /^HOOP_KEY is in wrong format, reason=the key does not have the form grpc:\/\//,
    ],
    [
      'a key without its secret',
      { HOOP_KEY: 'grpc://name@127.0.0.1:1' },
      /^HOOP_KEY is in wrong format, reason=secret key not found in dsn$/,
    ],
    [
      'a key without a port',
      { HOOP_KEY: 'grpc://name:open-sesame@127.0.0.1' },
      /^HOOP_KEY is in wrong format, reason=.*the port is missing$/,
    ],
    [
      'a key that would go to another machine in the clear',
      { HOOP_KEY: 'grpc://name:open-sesame@gateway.example:8010' },
      /^HOOP_KEY: a key sent to gateway\.example without TLS .*allow-plaintext$/,
    ],
    [
      'a key file that is not there',
      { RUNBOOK_AGENT_KEY_FILE: '/none/key' },
      /^RUNBOOK_AGENT_KEY_FILE: the key-file \/none\/key does not exist/,
    ],
    [
      'a wrong duration',
      { HOOP_KEY: 'grpc://name:open-sesame@127.0.0.1:1', RUNBOOK_AGENT_DRAIN: 'soon' },
      /^RUNBOOK_AGENT_DRAIN drain: a duration .* is expected/,
    ],
  ] as const)('%s for the agent', async (_, env, message) => {
    using place = new Workplace()
    const line = await failure(place, ['start'], env)
    expect(line).toMatch(message)
    expect(line).not.toContain('open-sesame')
  })

  it('a runtime folder that cannot be used, for the agent', async () => {
    using place = new Workplace()
    const RUNBOOK_AGENT_RUNTIME_DIR = `${place.write('a-file', '')}/runtime`
    const line = await failure(place, ['start'], {
      ...{ HOOP_KEY: 'grpc://name:open-sesame@127.0.0.1:1', RUNBOOK_AGENT_RUNTIME_DIR },
    })
    expect(line).toMatch(/^runtime-dir \S+\/a-file\/runtime cannot be used: ENOTDIR/)
  })
})

/** The one line of a program that exits with 78, without its beginning. */
async function failure(
  place: Workplace,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(place, args, env)
  const errors = stderr.split('\n').filter((line) => line.startsWith('runbook-agent: '))
  expect([code, stdout, errors.length, stderr]).toEqual([78, '', 1, expect.stringMatching(/^([^\n]*\n)+$/)])
  expect(stderr.endsWith(`${errors[0] ?? ''}\n`)).toBe(true)
  return (errors[0] ?? '').replace('runbook-agent: ', '')
}
