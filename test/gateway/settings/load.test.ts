import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Authority } from '../../support/network/certificates.ts'
import { examineSettings, loadSettings } from '../../../src/gateway/settings/load.ts'
import { PathPattern } from '../../../src/gateway/settings/words.ts'
import { SettingsError } from '../../../src/basics/settings/problems.ts'
import type { GatewaySettings } from '../../../src/gateway/settings/settings.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'))
  file = join(folder, 'gateway.yaml')
})

afterEach(() => rmSync(folder, { recursive: true }))

const TOKEN = 'a-token-of-sixteen-characters-or-more'
const KEY = 'a-key-of-sixteen-characters-or-more'
const sha256 = (text: string) => createHash('sha256').update(text).digest()
const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64')

function write(name: string, content: string | Uint8Array): void {
  writeFileSync(join(folder, name), content)
}

function parse(text: string, env: Record<string, string> = {}): GatewaySettings {
  write('gateway.yaml', text)
  return loadSettings(file, env)
}

/** The error's lines, each without the name of the file. */
function problems(text: string, env: Record<string, string> = {}): string[] {
  try {
    parse(text, env)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.message.split('\n').map((line) => line.replace(`${file}:`, ''))
  }
  return []
}

/** Settings with one connection, of these settings. */
function connection(more: string): string {
  return [
    `agents: [{ name: local, key: ${KEY} }]`,
    'connections:',
    '  - name: bash',
    '    agent: local',
    '    command: [bash]',
    ...more.split('\n').map((line) => `    ${line}`),
  ].join('\n')
}

const drops = {
  name: 'drops',
  input: [{ type: 'deny_words_list', words: ['DROP'], pattern: '', message: 'no drops' }],
  output: [{ type: 'pattern_match', words: [], pattern: '[0-9]{4}', message: '' }],
}

describe('a complete file', () => {
  test('like the one in the docs is read with everything it refers to', () => {
    write('admin.token', `${TOKEN}\n`)
    write('agent.key', KEY)
    write('app.conf', Buffer.from([0, 255, 10]))
    write(
      'gateway.yaml',
      `
listen: { http: 127.0.0.1:0, grpc: "[::1]:8010", trusted-proxies: [10.0.0.7, "fd00::/8"] }
state: ./state                       # SQLite history, generated keys; 0700
users:        [{ name: admin, token: file://admin.token, groups: [admin] }]
agents:       [{ name: local, key: file://agent.key }]
repositories: [{ name: examples, url: ./examples/runbooks, branch: main, refresh: 5m }]
guardrails:
  - name: drops
    input: [{ type: deny_words_list, words: [DROP], message: no drops }]
    output: [{ type: pattern_match, pattern_regex: '[0-9]{4}' }]
connections:
  - name: bash
    agent: local
    guardrails: [drops]
    type: custom
    subtype: dynamodb
    tags: { env: prod, region: eu }
    command: [bash, -c, 5]
    env:   { GREETING: hello, PORT: 5432, EMPTY: "", VERSION: 1.10 }
    files: { CONFIG: ./app.conf, KEY: file://agent.key, FROM_ENV: env://SOME }
    secrets: { "envvar:A": aGk=, "filesystem:B": "" }
    runbooks: { repository: examples, path: ./ops/ }
    access: { runbooks: true, exec: false, connect: env://MAY_CONNECT, groups: [admin, ops] }
    history: { retain: 365d, size: 512MiB }
locks: [{ name: ops, runbooks: ['ops/**'], connections: [bash] }, { name: all }]
schedules: [{ name: daily, cron: '@daily', connection: bash, runbook: a.sh, as: admin, lock: ops }]
limits: { wait: 10s, agent-wait: 500ms, lock-wait: 1m, body: 1MiB, output: 512KiB }
history: { retain: 7d, audit-retain: 30d, size: 2GiB }
`,
    )
    expect(loadSettings(file, { SOME: 'value', MAY_CONNECT: 'false' })).toStrictEqual({
      listen: {
        ...{ http: { host: '127.0.0.1', port: 0 }, grpc: { host: '::1', port: 8010 } },
        hosts: [],
        trustedProxies: ['10.0.0.7/32', 'fd00::/8'],
      },
      state: join(folder, 'state'),
      users: [
        {
          ...{ name: 'admin', kind: 'person', groups: ['admin'], oidc: false },
          tokens: [{ name: 'token', sha256: sha256(TOKEN) }],
        },
      ],
      agents: [{ name: 'local', keySha256: sha256(KEY) }],
      repositories: [
        { name: 'examples', url: join(folder, 'examples/runbooks'), branch: 'main', refreshMs: 300_000 },
      ],
      guardrails: [drops],
      connections: [
        {
          name: 'bash',
          agent: 'local',
          guardrails: [drops],
          type: 'custom',
          subtype: 'dynamodb',
          tags: { env: 'prod', region: 'eu' },
          command: ['bash', '-c', '5'],
          plain: [],
          secrets: new Map([
            ['envvar:GREETING', base64('hello')],
            ['envvar:PORT', base64('5432')],
            ['envvar:EMPTY', ''],
            ['envvar:VERSION', base64('1.10')],
            ['filesystem:CONFIG', base64(new Uint8Array([0, 255, 10]))],
            ['filesystem:KEY', base64(KEY)],
            ['filesystem:FROM_ENV', base64('value')],
            ['envvar:A', 'aGk='],
            ['filesystem:B', ''],
          ]),
          runbooks: { repository: 'examples', path: 'ops/' },
          access: {
            runbooks: true,
            exec: false,
            schema: true,
            connect: false,
            clientInput: false,
            clientEscapes: 'allow',
            groups: ['admin', 'ops'],
          },
        },
      ],
      locks: [
        { name: 'ops', runbooks: [PathPattern.from('ops/**')], connections: ['bash'] },
        { name: 'all', runbooks: [PathPattern.from('**')] },
      ],
      webhooks: [],
      mcp: [],
      schedules: [
        {
          ...{ name: 'daily', cron: '@daily', timezone: 'UTC', connection: 'bash', runbook: 'a.sh' },
          ...{
            parameters: {},
            jiraFields: {},
            reason: '',
            as: 'admin',
            catchesUp: false,
            lock: 'ops',
            enabled: true,
          },
        },
      ],
      stopTimeoutMs: 60_000,
      limits: {
        ...{ waitMs: 10_000, agentWaitMs: 500, lockWaitMs: 60_000 },
        ...{ bodyBytes: 1_048_576, outputBytes: 524_288, batchParallel: 50, failedSignIns: 20 },
      },
      history: {
        retainMs: 604_800_000,
        sizeBytes: 2 * 1024 ** 3,
        connections: new Map([['bash', { retainMs: 31_536_000_000, sizeBytes: 512 * 1024 ** 2 }]]),
        auditRetainMs: 2_592_000_000,
      },
    })
  })

  test.each(['', '# nothing\n', '{}', 'listen:\nusers:\nlimits:\nhistory: { retain: }\n'])(
    'may say nothing at all: %j',
    (text) => {
      expect(parse(text)).toStrictEqual({
        listen: {
          ...{ http: { host: '127.0.0.1', port: 8009 }, grpc: { host: '127.0.0.1', port: 8010 } },
          hosts: [],
          trustedProxies: [],
        },
        state: join(folder, 'state'),
        users: [],
        agents: [],
        repositories: [],
        guardrails: [],
        connections: [],
        locks: [],
        schedules: [],
        webhooks: [],
        mcp: [],
        stopTimeoutMs: 60_000,
        limits: {
          ...{ waitMs: 50_000, agentWaitMs: 15_000, lockWaitMs: 900_000 },
          ...{ bodyBytes: 16_777_216, outputBytes: 115_343_360, batchParallel: 50, failedSignIns: 20 },
        },
        history: {
          ...{ retainMs: 2_592_000_000, auditRetainMs: 34_560_000_000 },
          ...{ sizeBytes: 10 * 1024 ** 3, connections: new Map() },
        },
      })
    },
  )

  test('gives a connection the defaults', () => {
    expect(parse(connection('')).connections).toStrictEqual([
      {
        name: 'bash',
        agent: 'local',
        type: 'custom',
        tags: {},
        command: ['bash'],
        guardrails: [],
        secrets: new Map(),
        plain: [],
        access: {
          runbooks: true,
          exec: true,
          schema: true,
          connect: true,
          clientInput: true,
          clientEscapes: 'allow',
        },
      },
    ])
  })

  test.each([
    ['exec: false', { exec: false, connect: false, clientInput: false }],
    ['exec: false, connect:, client-input:', { exec: false, connect: false, clientInput: false }],
    ['exec: false, connect: true', { exec: false, connect: true, clientInput: false }],
    ['connect: false', { exec: true, connect: false, clientInput: true }],
  ])('where scripts are off so are terminals, unless they are named: %s', (access, expected) => {
    const [built] = parse(connection(`access: { ${access} }`)).connections
    expect(built?.access).toStrictEqual({ runbooks: true, schema: true, ...expected, clientEscapes: 'allow' })
  })

  test.each([
    ['type: database, command: [psql], access: { exec: false }', 'block'],
    ['type: database, command: [sqlcmd], access: { exec: false }', 'block'],
    ['command: [/usr/bin/mariadb, -t], access: { exec: false }', 'block'],
    ['type: database, command: [psql], access: { exec: false, client-input: true }', 'block'],
    ['command: [sqlite3, db], access: { exec: false }', 'block'],
    ['command: [bash], access: { exec: false }', 'allow'],
    ['type: database, command: [psql]', 'allow'],
    ['type: database, command: [psql], access: { exec: false, connect: true }', 'allow'],
    ['type: database, command: [psql], access: { exec: false, client-escapes: allow }', 'allow'],
    ['command: [psql], access: { client-escapes: block }', 'block'],
  ])('a connection with %s has client escapes: %s', (settings, expected) => {
    const text = `agents: [{ name: a, key: ${KEY} }]\nconnections: [{ name: c, agent: a, ${settings} }]`
    expect(parse(text).connections[0]?.access.clientEscapes).toBe(expected)
  })

  test('has no terminal where client escapes are blocked, and refuses what cannot be blocked', () => {
    const text = (access: string) => connection(`access: { client-escapes: block, ${access} }`)
    expect(parse(text('exec: true')).connections[0]?.access.connect).toBe(false)
    expect(problems(text('connect: true'))).toEqual([expect.stringContaining('on a terminal')])
    const sqlite = text('exec: false').replace('command: [bash]', 'command: [sqlite3, db]')
    expect(problems(sqlite)).toEqual([expect.stringContaining('sqlite3')])
    const variable = connection('env: { RUNBOOK_AGENT_CLIENT_ESCAPES: block }')
    expect(problems(variable)).toEqual([expect.stringContaining('access.client-escapes')])
  })

  test('may use anchors', () => {
    const text = `
agents: [{ name: &name local, key: ${KEY} }]
connections:
  - { name: a, agent: *name, command: &command [psql, -X], env: &env { HOST: h } }
  - { name: b, agent: *name, command: *command, env: *env }`
    const [a, b] = parse(text).connections
    expect(b).toEqual({ ...a, name: 'b' })
    expect(b?.command).toEqual(['psql', '-X'])
  })

  test('may have a byte order mark and line ends of Windows', () => {
    write('gateway.yaml', '\ufefflimits:\r\n  wait: 7s\r\n')
    expect(loadSettings(file, {}).limits.waitMs).toBe(7000)
  })
})

describe('secrets', () => {
  test('stay as hashes only, given plain or hashed', () => {
    const text = `
users: [{ name: a, token: ${TOKEN} }, { name: b, token: "sha256:${sha256('b').toString('hex').toUpperCase()}" }]
agents: [{ name: a, key: ${KEY} }, { name: b, key: sha256:${sha256('b').toString('hex')} }]`
    const settings = parse(text)
    expect(settings.users.map(({ tokens }) => tokens[0]?.sha256)).toEqual([sha256(TOKEN), sha256('b')])
    expect(settings.agents.map(({ keySha256 }) => keySha256)).toEqual([sha256(KEY), sha256('b')])
    expect(JSON.stringify(settings)).not.toMatch(/sixteen/)
  })

  test.each([
    ['too short', 'only-fifteen-ch'],
    ['with a space', '"a token of sixteen characters"'],
    ['a broken hash', 'sha256:abcdef0123456789'],
    ['not ASCII', 'schlüsselschlüssel'],
    ['with a line break', '"a-token-of-\\nsixteen-characters"'],
  ])('that are %s are refused without being shown', (_title, token) => {
    const [problem, ...others] = problems(`users:\n  - name: a\n    token: ${token}`)
    expect(others).toEqual([])
    expect(problem).toMatch(
      /^3:12 users\[0\]\.token: a secret of at least 16 printable characters .* is expected$/,
    )
    expect(problem).not.toContain(token.slice(0, 8))
  })

  test('never appear in errors, wherever they were written by mistake', () => {
    const secret = 'hunter2hunter2hunter2'
    write('secret', secret)
    for (const text of [
      `listen: { http: ${secret} }`,
      `state: [${secret}]`,
      `users: ${secret}`,
      `users: [${secret}]`,
      `users: [{ name: "${secret} ", token: "${secret} " }]`,
      `users: [{ name: a, token: ${secret} ]`,
      `users: [{ name: a, token: "${secret} }]`,
      `users: [{ name: a, token: |${secret} }]`,
      `users:\n- name: a\n  token: |${secret}\n`,
      `users:\n- name: a\n  token: |\n   x\n ${secret}\n`,
      `users:\n- name: a: ${secret}\n`,
      `users:\n- name: a\n\ttoken: ${secret}\n`,
      `users:\n- token: "\\q${secret}"`,
      `users:\n- token: @${secret}`,
      `users:\n- token: !!int ${secret}`,
      `users:\n- token: *x\n  name: ${secret} y`,
      `users: [{ name: a, token:${secret} }]`,
      `users:\n- name: a\n  token:${secret}${secret}: x\n`,
      connection(`env: { PASS:${secret}: x }`),
      `repositories: [{ name: a, url: "${secret}" }]`,
      `repositories: [{ name: a, url: file://secret, branch: "${secret} x" }]`,
      `agents: [{ name: a, key: ${KEY} }]\nconnections: [{ name: c, agent: file://secret, command: [x] }]`,
      `limits: { wait: ${secret}, body: ${secret} }`,
      connection(`files: { X: ${secret} }`),
      connection(`files: { X: "/${secret}" }`),
      connection(`secrets: { "envvar:X": "${secret}" }`),
      connection(`access: { exec: ${secret} }`),
      connection(`runbooks: { repository: file://secret, path: ../${secret} }`),
    ]) {
      const found = problems(text)
      expect([text, found.length]).not.toEqual([text, 0])
      expect([text, found.join()]).toEqual([text, expect.not.stringContaining('hunter2')])
    }
  })

  test('of one name cannot be given twice, in whatever way', () => {
    const text = connection(
      [
        'env: { A: x, B: y }',
        'files: { B: some, C: some }',
        'secrets:',
        '  envvar:A: eA==',
        '  filesystem:A: eA==',
        '  envvar:C: eA==',
        '  envvar:D: eA==',
      ].join('\n'),
    )
    write('some', 'x')
    const again = 'this connection already has a value with this name'
    expect(problems(text)).toEqual([
      `7:14 connections[0].files.B: ${again}`,
      `9:7 connections[0].secrets.envvar:A: ${again}`,
      `10:7 connections[0].secrets.filesystem:A: ${again}`,
      `11:7 connections[0].secrets.envvar:C: ${again}`,
    ])
  })

  test('in base64 may be broken into lines, as the agent accepts it', () => {
    const [found] = parse(connection('secrets: { "envvar:X": "aGVs\\nbG8=\\r\\n" }')).connections
    expect(found?.secrets.get('envvar:X')).toBe('aGVsbG8=')
  })

  test.each(['a', 'aGk', 'aGk==', 'a=Gk', 'aG k', 'aGk-', '=aGk'])(
    'that are not base64 are refused: %s',
    (value) => {
      expect(problems(connection(`secrets: { "envvar:X": "${value}" }`))).toEqual([
        '6:28 connections[0].secrets.envvar:X: base64 with its padding is expected',
      ])
    },
  )

  test('of one connection that would not fit into a packet together are refused', () => {
    write('big', Buffer.alloc(1024 * 1024))
    const names = Array.from({ length: 10 }, (_, i) => `F${i}: big`)
    expect(problems(connection(`files: { ${names.join(', ')} }`))).toEqual([
      '3:5 connections[0]: the values of this connection are longer than 12582912 bytes in total',
    ])
  })
})

describe('problems', () => {
  test('are addresses that no program can read', () => {
    const oidc = 'client-id: x, everybody: true'
    for (const host of ['a:99999', '[::1', 'a%zz.example'])
      expect(problems(`sign-in: { oidc: { issuer: 'https://${host}', ${oidc} } }`)).toEqual([
        expect.stringContaining('sign-in.oidc.issuer: an address like'),
      ])
    for (const host of ['127.0.0.1.evil.test', 'accounts.example.org', '127.0.0.1@evil.test', '10.0.0.1'])
      expect(problems(`sign-in: { oidc: { issuer: 'http://${host}', ${oidc} } }`)).toHaveLength(1)
    for (const issuer of [
      'https://a:8443',
      'http://127.0.0.1:8080/realms/x',
      'http://[::1]:1',
      'http://localhost',
    ])
      expect(problems(`sign-in: { oidc: { issuer: '${issuer}', ${oidc} } }`)).toEqual([])
  })

  test('are reported together, in the order of the file, with line, column and setting', () => {
    const text = `
listen:
  http: 8009
users:
  - name: a b
    tokn: x
agents: { local: x }
conections: []
connections:
  - agent: local
    command: []
    env:
      A-B: x
      C:
    access: { groups: [] }
  - bash
limits:
  wait: 10
  output: 111MiB
  body: 5MB
`
    expect(problems(text)).toEqual([
      '3:9 listen.http: host:port, like 127.0.0.1:8009 or [::1]:8009, is expected',
      '5:11 users[0].name: a name of 1 to 100 letters, digits, dots, underscores, hyphens, @ or + is expected',
      '6:5 users[0].tokn: unknown setting, did you mean token? (accepted here: name, kind, token, tokens, groups, oidc, budget)',
      '7:9 agents: a list of agents is expected, but this is a map',
      expect.stringMatching(/^8:1 conections: unknown setting, did you mean connections\?/),
      '10:5 connections[0].name: this setting is missing',
      '11:14 connections[0].command: a program is expected first',
      '13:7 connections[0].env.A-B: a name of letters, digits and underscores is expected',
      expect.stringMatching(
        /^14:9 connections\[0\]\.env\.C: a string \('' for an empty one\).*, but the value is missing$/,
      ),
      '15:23 connections[0].access.groups: at least one group is expected',
      expect.stringMatching(
        /^16:5 connections\[1\]: a map with name, agent, .* is expected, but this is a single value$/,
      ),
      '18:9 limits.wait: a duration (500ms, 10s, 5m, 1h, 7d) from 100ms to 1h is expected',
      '19:11 limits.output: a size (100B, 512KiB, 20MiB) from 1KiB to 110MiB is expected',
      '20:9 limits.body: a size (100B, 512KiB, 20MiB) from 1KiB to 16MiB is expected',
    ])
  })

  test('are a command that is missing, except on a tcp connection', () => {
    const text = (type: string) =>
      `agents: [{ name: a, key: ${KEY} }]\nconnections:\n  - { name: c, agent: a, type: ${type} }`
    expect(problems(text('application, subtype: tcp'))).toEqual([])
    expect(parse(text('application, subtype: tcp')).connections[0]?.command).toEqual([])
    for (const type of ['custom', 'application', 'database, subtype: postgres'])
      expect(problems(text(type))).toEqual(['3:5 connections[0].command: this setting is missing'])
  })

  test('can be taken apart', () => {
    const error = (() => {
      try {
        return parse('users: 5')
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(SettingsError)
    expect((error as SettingsError).problems).toEqual([
      {
        line: 1,
        column: 8,
        path: 'users',
        message: 'a list of users is expected, but this is a single value',
      },
    ])
  })

  test('beyond fifty are counted only', () => {
    const found = problems(Array.from({ length: 70 }, (_, i) => `x${i}: 1`).join('\n'))
    expect(found).toHaveLength(51)
    expect(found.at(-1)).toBe(' and 20 more')
  })

  test('name unknown settings in every place, also those every object has', () => {
    const text = `
toString: 1
listen: { valueOf: 1 }
agents: [{ name: local, key: ${KEY}, hasOwnProperty: 1 }]
history: { retains: 5d, x: 1 }`
    expect(problems(text).map((line) => line.replace(/ \(?accepted.*/, ''))).toEqual([
      '2:1 toString: unknown setting',
      '3:11 listen.valueOf: unknown setting,',
      expect.stringMatching(/agents\[0\]\.hasOwnProperty: unknown setting,$/),
      '5:12 history.retains: unknown setting, did you mean retain?',
      '5:25 history.x: unknown setting,',
    ])
  })

  test.each(['__proto__', 'constructor', 'prototype'])(
    'are names that objects cannot safely have: %s',
    (name) => {
      expect(problems(connection(`env: { ${name}: x }`))).toEqual([
        `6:12 connections[0].env: ${name} cannot be used as a name`,
      ])
    },
  )

  test('are a name twice in one map', () => {
    expect(problems('state: a\nstate: b')).toEqual(['2:1: this name is used twice'])
  })

  test('are two of one name, token or key; the other one is named', () => {
    const text = `
users: [{ name: a, token: ${TOKEN} }, { name: a, token: ${TOKEN}2 }, { name: b, token: ${TOKEN} }]
agents:
  - { name: x, key: ${KEY} }
  - { name: y, key: sha256:${sha256(KEY).toString('hex')} }
repositories: [{ name: r, url: ./a }, { name: r, url: ./b }]
connections:
  - { name: c, agent: x, command: [a] }
  - { name: c, agent: y, command: [a] }`
    expect(problems(text).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'users[1].name: users[0] has this name already (line 2)',
      'users[2].token: users[0] has this token already (line 2)',
      'agents[1].key: agents[0] has this key already (line 4)',
      'repositories[1].name: repositories[0] has this name already (line 6)',
      'connections[1].name: connections[0] has this name already (line 8)',
    ])
  })

  test('are agents and repositories that do not exist; those that do are named', () => {
    const text = `
agents: [{ name: x, key: ${KEY} }]
connections: [{ name: c, agent: local, command: [a], runbooks: { repository: examples } }]`
    expect(problems(text)).toEqual([
      '3:33 connections[0].agent: unknown name; use one of these agents: x',
      '3:78 connections[0].runbooks.repository: unknown name; no repositories are configured',
    ])
  })
})

describe('listening', () => {
  test.each(['0.0.0.0:8009', '192.168.1.5:8009', '"[::]:8009"', 'db.example.com:8009'])(
    'on %s is refused unless it is allowed',
    (address) => {
      expect(problems(`listen: { http: ${address} }`)).toEqual([
        expect.stringMatching(
          /^1:17 listen\.http: without TLS .*; set listen\.tls, use a loopback address, or set listen\.allow-remote: true/,
        ),
      ])
      expect(problems(`listen: { http: ${address}, allow-remote: true }`)).toEqual([])
    },
  )

  test('on one address with both servers is refused, unless the port is any', () => {
    expect(problems('listen: { http: 127.0.0.1:9000, grpc: 127.0.0.1:9000 }')).toEqual([
      '1:39 listen.grpc: listen.http has this address already',
    ])
    expect(problems('listen: { http: 127.0.0.1:0, grpc: 127.0.0.1:0, metrics: 127.0.0.1:0 }')).toEqual([])
    expect(problems('listen: { trusted-proxies: [10.0.0.0/0] }')).toEqual([
      '1:29 listen.trusted-proxies[0]: an address or a network like 10.0.0.7 or 10.1.0.0/16, but not all addresses (/0), is expected',
    ])
    expect(problems('listen: { metrics: 127.0.0.1:8010 }')).toEqual([
      '1:20 listen.metrics: listen.grpc has this address already',
    ])
  })
})

describe('repositories', () => {
  test.each([
    ['./examples', 'examples'],
    ['../other.git', '../other.git'],
    ['..', '..'],
    ['.', '.'],
  ])('at the local path %s are relative to the file', (url, path) => {
    expect(parse(`repositories: [{ name: r, url: ${url} }]`).repositories).toEqual([
      { name: 'r', url: join(folder, path) },
    ])
  })

  test.each([
    '/srv/runbooks.git',
    'https://user:pass@example.com/a.git',
    'ssh://git@example.com:22/a/b.git',
    'git@example.com:a/b.git',
    'example.com:a/b.git',
  ])('at %s are taken as they are', (url) => {
    expect(parse(`repositories: [{ name: r, url: "${url}" }]`).repositories).toEqual([{ name: 'r', url }])
    expect(parse(`repositories: [{ name: r, url: env://URL }]`, { URL: url }).repositories[0]?.url).toBe(url)
  })

  test.each([
    'examples',
    '-oProxyCommand=x',
    'ssh://-oProxyCommand=x/y',
    'ext::sh -c x',
    'a@-b:c',
    '""',
    '-a@b:c',
    'http://example.com/a.git',
    'git://example.com/a.git',
  ])('at %s are refused', (url) => {
    expect(problems(`repositories: [{ name: r, url: ${url} }]`)).toEqual([
      expect.stringMatching(/repositories\[0\]\.url: a path that begins with \.\/ .* is expected$/),
    ])
  })

  test('written with file:// get the advice to write the path', () => {
    mkdirSync(join(folder, 'r.git'))
    expect(problems('repositories: [{ name: r, url: file://r.git }]')).toEqual([
      `1:32 repositories[0].url: the file ${folder}/r.git is not a regular file; to use the path itself as the value, remove file://`,
    ])
  })

  test.each(['-x', 'a..b', 'a b', 'a/', '/a', 'a.lock:x', '.hidden', '""', 'HEAD', 'a.lock'])(
    'cannot have a branch called %s',
    (branch) => {
      expect(
        problems(`repositories: [{ name: r, url: ./a, branch: "${branch.replaceAll('"', '')}" }]`),
      ).toEqual([expect.stringMatching(/branch: the name of a branch is expected$/)])
    },
  )

  test.each(['/etc', '..', 'a/../b', '../b', 'a\\nb/..', 'a\\\\b'])(
    'cannot be left by a path like %s',
    (path) => {
      expect(problems(connection(`runbooks: { repository: r, path: "${path}" }`))).toEqual([
        expect.stringMatching(
          /runbooks\.path: a path inside the repository, without a leading slash or \.\., is expected$/,
        ),
      ])
    },
  )
})

describe('the file', () => {
  test('that does not exist is an error with its path', () => {
    expect(() => loadSettings(file, {})).toThrow(`${file}: the file does not exist`)
  })

  test('that is a folder is an error', () => {
    expect(() => loadSettings(folder, {})).toThrow(`${folder}: the file is not a regular file`)
  })

  test('may be 1 MiB long and no more', () => {
    write('gateway.yaml', `#${'x'.repeat(1024 * 1024 - 1)}`)
    expect(loadSettings(file, {}).users).toEqual([])
    write('gateway.yaml', `#${'x'.repeat(1024 * 1024)}`)
    expect(() => loadSettings(file, {})).toThrow(`${file}: the file is longer than 1048576 bytes`)
  })

  test('must be UTF-8', () => {
    write('gateway.yaml', Buffer.from([0x61, 0xff]))
    expect(() => loadSettings(file, {})).toThrow('is not UTF-8 text')
  })

  test.each([
    ['users: [', /1:\d+: .*bracket/],
    ['users: []]', /1:10: this text is not expected here/],
    ['a: b: c', /1:4: the line has a second ": "/],
    ['users:\n\t- x', /2:1: a tab cannot indent/],
    ['a: "\\q"', /1:5: this escape is not known/],
    ['a: @b', /1:4: an unquoted text cannot start with this/],
    ['a: !!binary x', /1:4: tags are not supported/],
    ['a: 1\n---\nb: 2', /2:1: the file must hold one document only/],
    ['[a]', /1:1: a map with listen, .* is expected, but this is a list/],
    ['users', /1:1: a map with listen, .* is expected, but this is a single value/],
    ['? [a]\n: b', /1:3: the name of a setting must be a string/],
  ])('that is not YAML, or not a map, is an error with its place: %j', (text, expected) => {
    const found = problems(text)
    expect(found[0]).toMatch(expected)
  })
})

const COMPLETE = `
listen: { http: 127.0.0.1:0, grpc: "[::1]:8010" }
users: [{ name: admin, token: ${TOKEN}, groups: &x [admin] }]
agents:
  - name: local
    key: sha256:${'0a'.repeat(32)}
repositories: [{ name: examples, url: ./examples, branch: main, refresh: 5m }]
connections:
  - name: bash
    agent: local
    command: [bash, -c, env]
    env: { GREETING: hello }
    secrets: { "envvar:A": aGk= }
    runbooks: { repository: examples, path: ./ops/ }
    access: { exec: false, groups: *x }
limits: { wait: 10s, body: 1MiB }
`

const ANYTHING = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        ...[
          'listen',
          'users',
          'agents',
          'connections',
          'name',
          'env',
          'files',
          'secrets',
          'access',
          'limits',
        ],
        ...[
          ': ',
          ':\n',
          '\n',
          '\n  ',
          '\n  - ',
          '[',
          ']',
          '{',
          '}',
          ', ',
          '&a ',
          '*a',
          '!x ',
          '|\n',
          '"',
          "'",
          '# ',
        ],
        ...[
          'file://x',
          'file://',
          'env://',
          'env://HOME',
          'x',
          '5s',
          '1MiB',
          'true',
          '__proto__',
          '\0',
          '---',
          '%',
        ],
      ),
      { maxLength: 60 },
    )
    .map((parts) => parts.join('')),
  fc
    .tuple(fc.nat(), fc.nat(40), fc.constantFrom('', ' ', '\n', '- ', '*x', '"', ': ', '}', '~'))
    .map(([at, length, put]) => {
      const start = at % COMPLETE.length
      return COMPLETE.slice(0, start) + put + COMPLETE.slice(start + length)
    }),
  fc.json().map((text) => `listen: ${text}\nusers: ${text}\nconnections: [${text}, { env: ${text} }]`),
)

test('any text is either settings or a SettingsError, nothing else', () => {
  fc.assert(
    fc.property(ANYTHING, (text) => {
      try {
        expect(parse(text)).toHaveProperty('connections')
      } catch (error) {
        if (!(error instanceof SettingsError)) throw error
        expect(error.problems.length).toBeGreaterThan(0)
        const places = error.problems.map(({ line = 0, column = 0 }) => Math.min(line, column))
        expect(Math.min(...places)).toBeGreaterThan(0)
      }
    }),
    { numRuns: 500 },
  )
})

describe('guardrails', () => {
  test.each([
    [
      'a word list without words',
      '{ type: deny_words_list }',
      '1:47 guardrails[0].input[0].words: at least one word is expected',
    ],
    [
      'a pattern of Perl',
      "{ type: pattern_match, pattern_regex: '(?!a)' }",
      '1:76 guardrails[0].input[0].pattern_regex: a regular expression of RE2 is expected, without look-around and back-references',
    ],
    [
      'a pattern rule without a pattern',
      '{ type: pattern_match }',
      '1:38 guardrails[0].input[0].pattern_regex: a regular expression is expected',
    ],
    [
      'words beside a pattern',
      '{ type: pattern_match, pattern_regex: a, words: [b] }',
      'guardrails[0].input[0].words: a rule with a pattern cannot have words; write two rules',
    ],
    [
      'another type',
      '{ type: regex }',
      'guardrails[0].input[0].type: deny_words_list or pattern_match is expected',
    ],
    ['an unknown member', '{ type: pattern_match, pattern: a }', 'guardrails[0].input[0].pattern: '],
  ])('with %s are refused, with the place', (_, rule, problem) => {
    expect(problems(`guardrails: [{ name: g, input: [${rule}] }]`).join('\n')).toContain(
      problem.replace(/^\S+ /, ''),
    )
  })

  test('without a rule, twice of a name, and unknown to a connection are refused', () => {
    const [empty, twice, unknown] = [
      problems('guardrails: [{ name: g }]'),
      problems(
        'guardrails: [{ name: g, input: [&r { type: pattern_match, pattern_regex: a }] }, { name: g, input: [*r] }]',
      ),
      problems(connection('guardrails: [nope]')),
    ].map((lines) => lines.join('\n'))
    expect(empty).toContain('at least one rule is expected')
    expect(twice).toContain('guardrails[0] has this name already')
    expect(unknown).toContain('unknown name; no guardrails are configured')
  })

  test('with a pattern that is too much for an agent are refused, and say so', () => {
    const rule = `{ type: pattern_match, pattern_regex: '${'a'.repeat(5000)}' }`
    expect(problems(`guardrails: [{ name: g, input: [${rule}] }]`)).toEqual([
      '1:71 guardrails[0].input[0].pattern_regex: agents cannot enforce this expression: the pattern is longer than 4096 bytes',
    ])
  })
})

describe('guardrails from a file', () => {
  const word = (text: string) => ({ type: 'deny_words_list', words: [text], pattern: '', message: '' })
  const rule = (text: string) => `{ type: deny_words_list, words: [${text}] }`

  test('stand behind those of gateway.yaml, in the order of the sets, for the direction that is asked for', () => {
    write('in.yaml', `[{ rules: [${rule('b')}] }, { rules: [${rule('c')}] }]`)
    write(
      'both.json',
      JSON.stringify({ input_rules: [], output_rules: [{ rules: [word('d')] }] }).replace(
        '"pattern":"",',
        '',
      ),
    )
    const [found] = parse(
      `guardrails: [{ name: g, input: [${rule('a')}], input-file: in.yaml, output-file: ./both.json }]`,
    ).guardrails
    expect(found).toEqual({ name: 'g', input: ['a', 'b', 'c'].map(word), output: [word('d')] })
  })

  test('that cannot be read, or has no rule, is a problem of the setting; nothing of the value is shown', () => {
    write('none.yaml', 'rules: []')
    write('output.yaml', `output_rules: [{ rules: [${rule('a')}] }]`)
    const of = (name: string) => problems(`guardrails: [{ name: g, input-file: ${name} }]`)
    expect([of('hush.yaml'), of('none.yaml'), of('output.yaml')]).toEqual([
      ['1:37 guardrails[0].input-file: the value is read as a path, and this file does not exist'],
      ['1:37 guardrails[0].input-file: this file has no rules for input'],
      ['1:37 guardrails[0].input-file: this file has no rules for input'],
    ])
  })

  test('is held to the same as in gateway.yaml; faults have their place in the file', () => {
    const rules = join(folder, 'rules.yaml')
    const of = (text: string) => {
      write('rules.yaml', text)
      return problems('guardrails: [{ name: g, input-file: rules.yaml }]')
    }
    expect(
      of('rules:\n  - type: pattern_match\n    pattern_regex: (?!a)\n  - type: deny_words_list\n'),
    ).toEqual([
      `${rules}:3:20 rules[0].pattern_regex: a regular expression of RE2 is expected, without look-around and back-references`,
      `${rules}:4:5 rules[1].words: at least one word is expected`,
    ])
    expect(of(`input_rules: [{ rules: [{ type: deny_words_list, word: [a] }] }]`)).toEqual([
      `${rules}:1:50 input_rules[0].rules[0].word: unknown setting, did you mean words? (accepted here: type, words, pattern_regex, message)`,
    ])
    expect(of('{"rules": [{"type": "deny_words_list", "words": [7]}]}')).toEqual([
      `${rules}:1:50 rules[0].words[0]: a string that is not empty is expected, but this is a single value`,
    ])
    expect(of('rules: [')).toEqual([`${rules}:1:9: the indentation is wrong or a bracket was not closed`])
    expect(of('words: [a]')).toEqual([`${rules}:1:1: rules, input_rules or output_rules is required`])
  })

  test('are as long as gateway.yaml at most', () => {
    write('rules.yaml', ' '.repeat(1024 * 1024 + 1))
    expect(problems('guardrails: [{ name: g, input-file: rules.yaml }]')).toEqual([
      '1:37 guardrails[0].input-file: the value is read as a path, and this file is longer than 1048576 bytes',
    ])
  })
})

describe('what the rules of a connection may be together', () => {
  const words = (count: number, letter: string) =>
    `rules: [{ type: deny_words_list, words: [${letter}${'x'.repeat(count - 1)}] }]`
  const yaml = (guardrails: string) => `${connection('guardrails: [g, h]')}\nguardrails: ${guardrails}`
  const two = '[{ name: g, input-file: one.yaml }, { name: h, input-file: two.yaml }]'
  const place = '6:17 connections[0].guardrails: '

  test('is what its agent enforces: characters of words, for each direction, equal sets once', () => {
    write('one.yaml', words(125_000, 'a'))
    write('two.yaml', words(125_000, 'b'))
    expect(problems(yaml(two))).toEqual([])
    write('two.yaml', words(125_001, 'b'))
    expect(problems(yaml(two))).toEqual([
      `${place}the input rules of these guardrails together exceed the limits of agents: 250000 characters of words, 100000 steps of patterns`,
    ])
    expect(problems(yaml('[{ name: g, input-file: one.yaml }, { name: h, output-file: two.yaml }]'))).toEqual(
      [],
    )
    write('one.yaml', words(250_000, 'a'))
    write('two.yaml', words(250_000, 'a'))
    expect(problems(yaml(two))).toEqual([])
  })

  test('is what its agent enforces: steps of patterns', () => {
    const patterns = (count: number) =>
      `rules: [${'{ type: pattern_match, pattern_regex: "[a-c]{900}x" },'.repeat(count)}]`
    write('one.yaml', patterns(60))
    write('two.yaml', patterns(61))
    expect(problems(yaml('[{ name: g, input-file: one.yaml }, { name: h, output-file: two.yaml }]'))).toEqual(
      [],
    )
    expect(problems(yaml(two)).join()).toContain(
      'the input rules of these guardrails together exceed the limits of agents',
    )
  })

  test('fits into what is sent to the agent with a session', () => {
    const long = (letter: string) =>
      `rules: [{ type: deny_words_list, words: [a], message: ${letter.repeat(1_048_400)} }]`
    write('one.yaml', long('a'))
    write('two.yaml', long('b'))
    expect(problems(yaml(two))).toEqual([])
    const three = `[{ name: g, input-file: one.yaml, output-file: one.yaml }, { name: h, input-file: two.yaml }]`
    expect(problems(yaml(three))).toEqual([
      `${place}these rules are longer than 2097152 bytes in total, as JSON`,
    ])
  })
})

describe('rights of its files', () => {
  const TEXT = 'users: [{ name: ada, token: file://ada.token }]\n'
  const prepare = (settingsMode: number, tokenMode: number) => {
    const named = (name: string, content: string, mode: number) => {
      writeFileSync(join(folder, name), content)
      chmodSync(join(folder, name), mode)
    }
    named('gateway.yaml', TEXT, settingsMode)
    named('ada.token', `${TOKEN}\n`, tokenMode)
    return join(folder, 'gateway.yaml')
  }
  const examined = (path: string) => {
    const { problems, warnings } = examineSettings(path, {})
    return { problems: problems.toLines(), warnings }
  }

  test.each([0o666, 0o662, 0o620])('settings that others can write to (%o) are refused', (mode) => {
    const path = prepare(mode, 0o600)
    expect(() => loadSettings(path, {})).toThrow(
      `other users can write to the file ${path}: chmod go-w ${path}`,
    )
  })

  test('a token that others can write to is refused, with its place', () => {
    const [problem, ...others] = examined(prepare(0o644, 0o620)).problems
    expect(problem).toMatch(
      /^\S+:1:29 users\[0\]\.token: other users can write to the file \S+ada\.token: chmod/,
    )
    expect(others).toEqual([])
  })

  test('a token that others can read is warned of, and the settings are used', () => {
    const path = prepare(0o644, 0o644)
    expect(examined(path)).toEqual({
      problems: [],
      warnings: [
        expect.stringMatching(/^\S+:1:29: other users can read the secret in \S+ada\.token: chmod 600/),
      ],
    })
    const told: string[] = []
    expect(loadSettings(path, {}, (warning) => told.push(warning)).users).toHaveLength(1)
    expect(told).toHaveLength(1)
  })

  test('settings that others can read are fine unless a secret stands in them', () => {
    const path = prepare(0o644, 0o600)
    expect(examined(path)).toEqual({ problems: [], warnings: [] })
    writeFileSync(path, `users: [{ name: ada, token: ${TOKEN} }]\n`)
    expect(examined(path).warnings).toEqual([expect.stringContaining(`can read the secret in ${path}`)])
    writeFileSync(path, `users: [{ name: ada, token: 'sha256:${'ab'.repeat(32)}' }]\n`)
    expect(examined(path).warnings).toEqual([])
  })

  test.each(['server.crt', 'server.key', 'agents.crt', 'rules.yaml'])('%s is refused as well', (name) => {
    const path = prepare(0o644, 0o600)
    const authority = new Authority('of a test')
    const { certificate, key } = authority.issue({ names: ['127.0.0.1'] })
    const tls = '{ certificate: server.crt, key: server.key, agent-ca: agents.crt }'
    const files = {
      'server.crt': certificate,
      'server.key': key,
      'agents.crt': authority.certificate,
      'rules.yaml': 'rules: [{ type: deny_words_list, words: [a] }]',
      'gateway.yaml': `${TEXT}listen: { tls: ${tls} }\nguardrails: [{ name: g, input-file: rules.yaml }]\n`,
    }
    for (const [file, content] of Object.entries(files)) {
      writeFileSync(join(folder, file), content)
      chmodSync(join(folder, file), 0o600)
    }
    expect(examined(path)).toEqual({ problems: [], warnings: [] })
    chmodSync(join(folder, name), 0o620)
    expect(examined(path).problems).toEqual([
      expect.stringContaining(`can write to the file ${join(folder, name)}`),
    ])
  })

  test('links of a secret of Kubernetes are followed', () => {
    const path = prepare(0o644, 0o600)
    mkdirSync(join(folder, '..data'))
    renameSync(join(folder, 'ada.token'), join(folder, '..data', 'ada.token'))
    symlinkSync('..data/ada.token', join(folder, 'ada.token'))
    expect(examined(path)).toEqual({ problems: [], warnings: [] })
    chmodSync(join(folder, '..data', 'ada.token'), 0o666)
    expect(examined(path).problems).toHaveLength(1)
  })
})
