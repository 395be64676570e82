import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AgentEnvironment } from '../../src/envvars/agent-environment.ts'
import { MAX_ENTRIES } from '../../src/envvars/entry.ts'
import { EnvvarError } from '../../src/envvars/errors.ts'
import { mergeEntries } from '../../src/envvars/merge.ts'
import { sessionSecrets } from '../support/secrets/session-secrets.ts'

type Plain = Readonly<Record<string, string>>

const SECRET = 'xagt-0123456789abcdefghijklmnopqrstuvwxyzABCDEFG'
const KEY = `grpcs://prod:${SECRET}@gateway.example:8010?mode=standard`

const encoded = (plain: Plain) =>
  new Map(Object.entries(plain).map(([key, value]) => [key, Buffer.from(value).toString('base64')] as const))

interface Case {
  readonly agent?: Plain
  readonly key?: string
  readonly client?: Plain
  readonly connectionType?: string
}

/** What a connection has in the end, by key. */
async function resolved(connection: Plain, options: Case = {}): Promise<Plain> {
  const { entries } = await mergeEntries({
    connection: encoded(connection),
    client: encoded(options.client ?? {}),
    connectionType: options.connectionType ?? 'command-line',
    own: new Map(),
    secrets: sessionSecrets({ env: options.agent ?? {}, key: options.key ?? KEY }),
  })
  return Object.fromEntries(entries.map(({ key, value }) => [key, value.toString()]))
}

async function failureOf(connection: Plain, options: Case = {}): Promise<EnvvarError> {
  try {
    await resolved(connection, options)
  } catch (error) {
    if (error instanceof EnvvarError) return error
    throw error
  }
  throw new Error('the connection was accepted')
}

/** The text of a refusal with these faults, each `KEY WORDS` with Go's escapes. */
const refusal = (...faults: string[]) =>
  `failed decoding environment variables [${faults.map((fault) => `"${fault}"`).join(' ')}]`

const closed = (name: string, reason: string) =>
  `environment variable \\"${name}\\" cannot be used by connections, ${reason}: put the value itself into the connection`

describe('system.agent.envs', () => {
  const reference = { 'envvar:REGION': 'system.agent.envs' }

  test.each(['eu-west-1', '', 'a b\n', 'Zürich', '_aws:a:b', '_envjson:A:b', 'system.agent.envs'])(
    "is the agent's variable of the same name, %j as it is",
    async (value) => {
      expect(await resolved(reference, { agent: { REGION: value, OTHER: 'x' } })).toEqual({
        'envvar:REGION': value,
      })
    },
  )

  test.each(['REGION', 'constructor', '__proto__'])(
    'of a variable %s that the agent does not have is refused',
    async (name) => {
      expect(
        (await failureOf({ [`envvar:${name}`]: 'system.agent.envs' }, { agent: { region: 'x' } })).message,
      ).toBe(
        refusal(
          `envvar:${name} the agent has no environment variable \\"${name}\\", set it where the agent is started`,
        ),
      )
    },
  )

  test('is refused for a file', async () => {
    expect(
      (await failureOf({ 'filesystem:REGION': 'system.agent.envs' }, { agent: { REGION: 'x' } })).message,
    ).toBe(
      refusal(
        'filesystem:REGION system.agent.envs works only for envvar: keys; for a file use _envjson:VARIABLE:KEY',
      ),
    )
  })

  test.each(['system.agent.envs\n', ' system.agent.envs', 'SYSTEM.AGENT.ENVS', 'x system.agent.envs', ''])(
    'has to be the whole value: %j stays',
    async (value) => {
      expect(await resolved({ 'envvar:REGION': value }, { agent: { REGION: 'x' } })).toEqual({
        'envvar:REGION': value,
      })
    },
  )

  test('of PASS is the password of the database client as well', async () => {
    const options = { agent: { PASS: 'hunter2' }, connectionType: 'postgres' }
    expect(await resolved({ 'envvar:PASS': 'system.agent.envs' }, options)).toEqual({
      'envvar:PASS': 'hunter2',
      'envvar:PGPASSWORD': 'hunter2',
    })
  })
})

describe('_envjson', () => {
  const agent = { DB: '{"pass":"hunter2","":"nameless","__proto__":"own","null":null,"é":"ü"}', EMPTY: '' }

  test.each([
    ['envvar:A', '_envjson:DB:pass', 'hunter2'],
    ['filesystem:A', '_envjson:DB:pass', 'hunter2'],
    ['envvar:A', '_envjson:DB:', 'nameless'],
    ['envvar:A', '_envjson:DB:__proto__', 'own'],
    ['envvar:A', '_envjson:DB:é', 'ü'],
  ])('in %s=%s is the string of that name', async (key, value, expected) => {
    expect(await resolved({ [key]: value }, { agent })).toEqual({ [key]: expected })
  })

  test.each([
    ['_envjson:NONE:pass', 'environment variable \\"NONE\\" not found'],
    ['_envjson::pass', 'environment variable \\"\\" not found'],
    ['_envjson:EMPTY:pass', 'environment variable \\"EMPTY\\" not found'],
    ['_envjson:db:pass', 'environment variable \\"db\\" not found'],
    ['_envjson:constructor:name', 'environment variable \\"constructor\\" not found'],
    ['_envjson:DB\0:pass', 'environment variable \\"DB\\\\x00\\" not found'],
    ['_envjson:DB:Pass', 'secret key \\"Pass\\" not found'],
    ['_envjson:DB:toString', 'secret key \\"toString\\" not found'],
    ['_envjson:DB:null', 'secret key \\"null\\" not found'],
    ['_envjson:DB:"', 'secret key \\"\\\\\\"\\" not found'],
  ])('%j is refused when there is no such thing', async (value, problem) => {
    expect((await failureOf({ 'envvar:A': value }, { agent })).message).toBe(refusal(`envvar:A ${problem}`))
  })

  test.each([
    ['{"pass":"hunter2"', 'the value is not JSON'],
    ['\ufeff{"pass":"hunter2"}', 'the value is not JSON'],
    ['hunter2', 'the value is not JSON'],
    [' ', 'the value is not JSON'],
    ['"hunter2"', 'the value is not a JSON object'],
    ['["hunter2"]', 'the value is not a JSON object'],
    ['null', 'the value is not a JSON object'],
    ['['.repeat(100_000), 'the value is not JSON'],
    ['{"pass":"hunter2","port":5432}', 'not all members are strings'],
    ['{"pass":{"value":"hunter2"}}', 'not all members are strings'],
  ])('of a variable that is no JSON object of strings is refused: %.40j', async (DB, reason) => {
    expect((await failureOf({ 'envvar:A': '_envjson:DB:pass' }, { agent: { DB } })).message).toBe(
      refusal(`envvar:A failed decoding environment variable \\"DB\\" to json, err=${reason}`),
    )
  })

  test.each(['_envjson:DB:other', 'system.agent.envs', '_aws:a:b', 'YQ=='])(
    'is not resolved again when it gives %j',
    async (value) => {
      const DB = JSON.stringify({ pass: value, other: 'no' })
      expect(await resolved({ 'envvar:A': '_envjson:DB:pass' }, { agent: { DB, A: 'no' } })).toEqual({
        'envvar:A': value,
      })
    },
  )

  test('gives a file what it refuses a variable: a NUL', async () => {
    const options = { agent: { DB: String.raw`{"pass":"a\u0000b"}` } }
    expect(await resolved({ 'filesystem:A': '_envjson:DB:pass' }, options)).toEqual({
      'filesystem:A': 'a\0b',
    })
    expect((await failureOf({ 'envvar:A': '_envjson:DB:pass' }, options)).message).toContain(
      'envvar:A contains a NUL byte',
    )
  })

  test('works for as many entries as there can be', async () => {
    const names = Array.from({ length: MAX_ENTRIES }, (_, at) => `envvar:A${at}`)
    const entries = await resolved(Object.fromEntries(names.map((name) => [name, '_envjson:DB:pass'])), {
      agent,
    })
    expect(Object.keys(entries)).toHaveLength(MAX_ENTRIES)
    expect(new Set(Object.values(entries))).toEqual(new Set(['hunter2']))
  })
})

describe('what belongs to the agent', () => {
  test.each([
    'HOOP_KEY',
    'HOOP_DSN',
    'TOKEN',
    'HOOP_TOKEN',
    'HOOP_SPIFFE_KEY_FILE',
    'HOOP_SPIFFE_NAME',
    'RUNBOOK_AGENT_KEY',
    'RUNBOOK_AGENT_KEY_FILE',
    'RUNBOOK_AGENT_',
    'VAULT_TOKEN',
    'VAULT_APP_ROLE_SECRET_ID',
  ])('%s cannot be fetched, whether the agent has it or not', async (name) => {
    const text = closed(name, 'because it belongs to the agent itself')
    for (const agent of [{}, { [name]: '{"k":"v"}' }]) {
      expect((await failureOf({ 'envvar:A': `_envjson:${name}:k` }, { agent })).message).toBe(
        refusal(`envvar:A ${text}`),
      )
      expect((await failureOf({ [`envvar:${name}`]: 'system.agent.envs' }, { agent })).message).toBe(
        refusal(`envvar:${name} ${text}`),
      )
    }
  })

  test.each(['MY_TOKEN', 'TOKEN_URL', 'HOOP_KEY_ID', 'HOOP_TLSCA', 'hoop_key', 'VAULT_ADDR', 'AWS_REGION'])(
    '%s is not among it',
    async (name) => {
      expect(await resolved({ [`envvar:${name}`]: 'system.agent.envs' }, { agent: { [name]: 'v' } })).toEqual(
        {
          [`envvar:${name}`]: 'v',
        },
      )
    },
  )

  test.each([
    ['the key', KEY],
    ['the key among other things', `/usr/bin/env HOOP_KEY=${KEY} runbook-agent start`],
    ['the secret of the key', SECRET],
  ])('%s cannot be fetched under another name', async (_, value) => {
    const agent = { X: value, DB: JSON.stringify({ k: value, other: 'plain' }) }
    const text = (name: string) => closed(name, "because it contains the agent's key")
    const error = await failureOf({ 'envvar:X': 'system.agent.envs', 'envvar:Y': '_envjson:DB:k' }, { agent })
    expect(error.message).toBe(refusal(`envvar:X ${text('X')}`, `envvar:Y ${text('DB')}`))
    expect((await failureOf({ 'envvar:Z': '_envjson:X:k' }, { agent })).message).toBe(
      refusal(`envvar:Z ${text('X')}`),
    )
    expect(await resolved({ 'envvar:A': '_envjson:DB:other' }, { agent })).toEqual({ 'envvar:A': 'plain' })
  })

  test('the key is found behind the escapes of JSON', async () => {
    const agent = { DB: JSON.stringify({ k: KEY }).replaceAll('/', String.raw`\/`) }
    expect((await failureOf({ 'envvar:A': '_envjson:DB:k' }, { agent })).message).toBe(
      refusal(`envvar:A ${closed('DB', "because it contains the agent's key")}`),
    )
  })

  test.each(['', 'grpc://a:dev@127.0.0.1:8010'])(
    'what is in other values by chance is no secret: key %j',
    async (key) => {
      const connection = { 'envvar:A': 'system.agent.envs' }
      expect(await resolved(connection, { agent: { A: 'developer' }, key })).toEqual({
        'envvar:A': 'developer',
      })
    },
  )

  test('is in no variable that the settings of the agent refer to', () => {
    const environment = new AgentEnvironment({ TLS_KEY: 'hunter2', DB: 'open' }, KEY, new Set(['TLS_KEY']))
    expect(environment.variable('TLS_KEY').problem).toContain('it belongs to the agent itself')
    expect(environment.member('TLS_KEY', 'a').problem).toContain('it belongs to the agent itself')
    expect([...environment.all().keys()]).toEqual(['DB'])
  })

  test('is not shown when what holds it is printed', () => {
    const environment = new AgentEnvironment({ HOOP_KEY: KEY, DB: '{"pass":"hunter2"}' }, KEY)
    environment.member('DB', 'pass')
    const shown =
      inspect(environment, { showHidden: true, getters: true, depth: 9 }) + JSON.stringify(environment)
    expect(shown).not.toMatch(/xagt|hunter2/)
  })
})

describe('what cannot be fetched', () => {
  test.each([
    ['envvar:A', '_aws:arn:aws:secretsmanager:key'],
    ['envvar:A', '_aws:only-two'],
    ['envvar:A', '_envjson:DB'],
    ['envvar:A', '_envjson:DB:a:b'],
    ['envvar:A', '_ENVJSON:DB:a'],
    ['envvar:A', '_other:a:b'],
    ['envvar:A', 'x_aws:a:b'],
    ['envvar:USER', '_aws_iam_rd'],
    ['envvar:OWNER', '_aws_iam_rds:dbuser'],
    ['filesystem:EKS_CLUSTER', 'prod'],
  ])('is not what looks alike: %s=%j stays', async (key, value) => {
    expect(await resolved({ [key]: value }, { agent: { DB: '{"a":"no"}' } })).toEqual({ [key]: value })
  })

  test('is reported together, sorted by key, before a malformed key', async () => {
    const connection = {
      'envvar:Z': '_envjson:NONE:k',
      'envvar:B': 'system.agent.envs',
      'envvar:OK': '_envjson:DB:k',
      'filesystem:A': '_envjson:DB:gone',
      bad: '_envjson:DB:other',
    }
    expect((await failureOf(connection, { agent: { DB: '{"k":"v"}' } })).message).toBe(
      refusal(
        'bad secret key \\"other\\" not found',
        'envvar:B the agent has no environment variable \\"B\\", set it where the agent is started',
        'envvar:Z environment variable \\"NONE\\" not found',
        'filesystem:A secret key \\"gone\\" not found',
      ),
    )
  })
})

test('a client gets every reference as the literal that it sent', async () => {
  const client = {
    'envvar:HOOP_KEY': 'system.agent.envs',
    'envvar:REGION': 'system.agent.envs',
    'filesystem:REGION2': 'system.agent.envs',
    'envvar:A': '_aws:a:b',
    'envvar:B': '_envjson:DB:k',
    'envvar:USER': '_aws_iam_rds:me',
    'envvar:EKS_CLUSTER': 'c',
  }
  const agent = { HOOP_KEY: KEY, REGION: 'eu-west-1', DB: '{"k":"v"}' }
  expect(await resolved({}, { agent, client })).toEqual(client)
})

describe("any value of the agent's variable", () => {
  /** Of letters that our texts do not have, so that four of them in a row can only come from the value. */
  const secret = fc.string({ unit: fc.constantFrom('Q', 'Z', 'X', 'J'), minLength: 4, maxLength: 12 })
  const shape = fc.constantFrom<(secret: string) => string>(
    (text) => text,
    (text) => JSON.stringify(text),
    (text) => `{"${text}":1}`,
    (text) => `{"${text}":null}`,
    (text) => `{"k":"${text}`,
    (text) => `{"k":${text}}`,
    (text) => `{"a":"${text}","b":{"${text}":[]}}`,
    (text) => `["${text}"]`,
    (text) => `{"k":"${text}\\u0000"}`,
  )
  const holding = fc.tuple(shape, secret).map(([wrap, text]) => wrap(text))
  const garbage = fc.oneof(
    holding,
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.string().map((text) => `{${text}`),
  )

  const failed = (reason: string) =>
    refusal(`envvar:V failed decoding environment variable \\"V\\" to json, err=${reason}`)
  const TEXTS = [
    failed('the value is not JSON'),
    failed('the value is not a JSON object'),
    failed('not all members are strings'),
    refusal('envvar:V secret key \\"k\\" not found'),
    refusal('envvar:V environment variable \\"V\\" not found'),
    refusal(`envvar:V ${closed('V', "because it contains the agent's key")}`),
    'the value of envvar:V contains a NUL byte, pass it as filesystem:V instead',
  ]

  test.each(['_envjson:V:k', 'system.agent.envs'])('is in no refusal of %s', async (reference) => {
    await fc.assert(
      fc.asyncProperty(garbage, fc.boolean(), async (value, isKey) => {
        let error: unknown
        try {
          await resolved({ 'envvar:V': reference }, { agent: { V: value }, key: isKey ? value : KEY })
        } catch (caught) {
          error = caught
        }
        if (error === undefined) return
        expect(error).toBeInstanceOf(EnvvarError)
        expect(TEXTS).toContain((error as EnvvarError).message)
        expect(inspect(error, { showHidden: true, depth: 9 })).not.toMatch(/[QZXJ]{4}/)
      }),
      { numRuns: 500 },
    )
  })
})
