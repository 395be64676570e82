import { describe, expect, it } from 'vitest'
import { gatewayYaml } from '../../../src/commands/dev/first-settings.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const SECRET = 'xagt-hush-0123456789'
const KEY = `grpc://tester:${SECRET}@127.0.0.1:8010?mode=standard`

describe("runbook-agent config check of an agent's file", () => {
  it('says that it can be used, without a key as well', async () => {
    expect(await check('log: { level: info }\ndrain: 5s\n')).toEqual({
      ...{ code: 0, stdout: 'it.yaml: the agent can use this file\n', stderr: '' },
    })
  })

  it('names everything that is wrong, with its place and a suggestion, and exits with 78', async () => {
    const { code, stdout, stderr } = await check('log: { lvel: info }\nkill.grace: 30x\nkey-file: none\n')
    expect([code, stderr]).toEqual([78, ''])
    expect(stdout.split('\n')).toEqual([
      'it.yaml:1:8 log.lvel: unknown setting, did you mean log.level?',
      'it.yaml:2:13 kill.grace: a duration (500ms, 10s, 5m, 1h, 7d) from 0s to 24d is expected',
      expect.stringMatching(/^it\.yaml:3:11: the key-file \S+none does not exist$/),
      '',
    ])
  })

  it('looks at nothing but the file: not at variables, which may be wrong or missing', async () => {
    const env = { RUNBOOK_AGENT_DRAIN: 'soon', HOOP_KEY: KEY, HTTPS_PROXY: '::' }
    expect(await check('drain: 5s\n', [], env)).toMatchObject({ code: 0 })
    const token = `token: ${SECRET}\nspiffe.key-file: svid\n`
    expect((await check(token)).stdout).not.toContain('HOOP_GRPCURL')
  })

  it('warns, without an error, and shows no secret', async () => {
    const { code, stdout } = await check(`key: ${KEY}\ntls.skip-verify: true\n`)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^it\.yaml:2:18: an attacker on the network .* \(warning\)$/m)
    expect(stdout).not.toContain(SECRET)
  })

  it('names what is wrong in the rule files that it names', async () => {
    using place = new Workplace()
    place.write('it.yaml', 'policy: { output-rules: [rules.json] }\n')
    place.write('rules.json', '{"rules": [\n{"type": "other"}]}')
    expect(await runProgram(place, ['config', 'check', 'it.yaml'])).toMatchObject({
      ...{ code: 78, stderr: '' },
      stdout: `${place.at('rules.json')}:2: this rule cannot be enforced: unknown rule type "other"\n`,
    })
  })

  it('names the place also of what is no YAML', async () => {
    const { code, stdout } = await check('drain: "5s\nlog: {}\n')
    expect([code, stdout]).toEqual([
      78,
      expect.stringMatching(/^it\.yaml:\d:\d+: a ":", a quote or a closing bracket is missing/),
    ])
  })
})

describe("runbook-agent config check of a gateway's file", () => {
  it('warns of variables that the type of a connection needs, and PASS may be empty', async () => {
    const users =
      'users: [{ name: ann, token: a-token-of-ann-0123456789 }]\nagents: [{ name: l, key: xagt-0123456789abcdef }]\n'
    const connection = (more: string) =>
      check(
        `${users}connections: [{ name: pg, agent: l, type: database, subtype: postgres, command: [psql], ${more} }]\n`,
      )
    const { code, stdout } = await connection('env: { HOST: h, USER: u }')
    expect(code).toBe(0)
    expect(stdout).toContain(
      "connection pg of type database postgres needs PASS in env or secrets; if the server needs no password, set PASS: '' (warning)\n",
    )
    expect((await connection("env: { HOST: h, USER: u, PASS: '' }")).stdout).not.toContain('warning')
  })

  it('warns of schedules whose connection or user it does not have', async () => {
    const schedule = (name: string, connection: string, as: string) =>
      `  - { name: ${name}, cron: '@daily', connection: ${connection}, runbook: a.sh, as: ${as} }\n`
    const { code, stdout } = await check(
      [
        'users: [{ name: ann@example.org, token: a-token-of-ann-0123456789 }]\n',
        'agents: [{ name: l, key: xagt-0123456789abcdef }]\n',
        'connections: [{ name: sh, agent: l, command: [sh] }]\n',
        'schedules:\n',
        schedule('fine', 'sh', 'ann@example.org'),
        schedule('off', 'shh', 'ann@example.org'),
        schedule('orphan', 'sh', 'bob+x@example.org'),
      ].join(''),
    )
    expect([code, stdout.match(/schedule .*(?= \(warning\))/g)]).toEqual([
      0,
      [
        'schedule off: connection shh does not exist, so the schedule cannot run',
        expect.stringMatching(/^schedule orphan: user bob\+x@example.org is not in users:/),
      ],
    ])
  })

  it('says that it can be used, with what it refers to', async () => {
    using place = new Workplace()
    for (const name of ['admin.token', 'agent.key', 'example-dana.token'])
      place.write(name, `${SECRET}-${name}`)
    place.write('gateway.yaml', gatewayYaml({ hasPostgres: true }))
    expect(await runProgram(place, ['config', 'check', 'gateway.yaml'])).toMatchObject({
      ...{ code: 0, stdout: 'gateway.yaml: the gateway can use this file\n', stderr: '' },
    })
  })

  it('names everything that is wrong, with its place and a suggestion, and exits with 78', async () => {
    const yaml =
      'users:\n  - { name: admin, tokn: x }\nlimits: { wait: 5x }\nagents: [{ name: a, key: env://NONE }]\n'
    const { code, stdout, stderr } = await check(yaml)
    expect([code, stderr]).toEqual([78, ''])
    expect(stdout.split('\n')).toEqual([
      'it.yaml:2:20 users[0].tokn: unknown setting, did you mean token? (accepted here: name, kind, token, tokens, groups, oidc, budget)',
      'it.yaml:3:17 limits.wait: a duration (500ms, 10s, 5m, 1h, 7d) from 100ms to 1h is expected',
      'it.yaml:4:26 agents[0].key: the environment variable NONE is not set',
      '',
    ])
  })
})

describe('runbook-agent config check', () => {
  it('prints JSON for programs', async () => {
    const agent = await check('drain: soon\n', ['--json'])
    expect([agent.code, JSON.parse(agent.stdout)]).toEqual([
      78,
      {
        file: 'it.yaml',
        kind: 'agent',
        problems: [expect.stringMatching(/^it\.yaml:1:8 drain: /)],
        warnings: [],
      },
    ])
    const gateway = await check('connections: []\n', ['--json'])
    expect([gateway.code, JSON.parse(gateway.stdout)]).toEqual([
      0,
      { file: 'it.yaml', kind: 'gateway', problems: [], warnings: [] },
    ])
  })

  it.each([
    ['limits: { sessions: 2 }\n', ['--agent'], 0, 'the agent can use this file'],
    ['limits: { sessions: 2 }\n', ['--gateway'], 78, 'unknown setting'],
    ['# nothing\n', ['--gateway'], 0, 'the gateway can use this file'],
    ['drain: 5s\n', ['--gateway'], 78, 'unknown setting'],
  ])('takes the file %j with %j as that', async (yaml, flags, code, says) => {
    const ended = await check(yaml, flags)
    expect([ended.code, ended.stdout]).toEqual([code, expect.stringContaining(says)])
  })

  it.each([
    ['is for an agent or a gateway: add --agent or --gateway', 'limits: { sessions: 2 }\n', []],
    ['is for an agent or a gateway: add --agent or --gateway', '', []],
    ['use either --agent or --gateway, not both', 'drain: 5s\n', ['--agent', '--gateway']],
  ])('exits with 64: %s', async (reason, yaml, flags) => {
    const ended = await check(yaml, flags)
    expect([ended.code, ended.stdout]).toEqual([64, ''])
    expect(ended.stderr).toContain(reason)
  })

  it('says when there is no file', async () => {
    using place = new Workplace()
    expect(await runProgram(place, ['config', 'check', 'none.yaml'])).toMatchObject({
      ...{ code: 78, stdout: '', stderr: 'runbook-agent: none.yaml: the file does not exist\n' },
    })
  })
})

async function check(
  yaml: string,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  using place = new Workplace()
  place.write('it.yaml', yaml)
  const { code, stdout, stderr } = await runProgram(place, ['config', 'check', 'it.yaml', ...flags], env)
  return { code, stdout, stderr }
}
