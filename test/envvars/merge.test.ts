import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EnvvarError } from '../../src/envvars/errors.ts'
import { mergeEntries } from '../../src/envvars/merge.ts'
import { sessionSecrets } from '../support/secrets/session-secrets.ts'

type Plain = Readonly<Record<string, string>>

const base64 = (text: string) => Buffer.from(text).toString('base64')
const encoded = (plain: Plain) =>
  new Map(Object.entries(plain).map(([key, value]) => [key, base64(value)] as const))

interface Sources {
  connection?: Plain
  client?: Plain
  connectionType?: string
  own?: Plain
}

const merge = async ({
  connection = {},
  client = {},
  connectionType = 'command-line',
  own = {},
}: Sources) => {
  const { entries } = await mergeEntries({
    connection: encoded(connection),
    client: encoded(client),
    connectionType,
    own: new Map(Object.entries(own)),
    secrets: sessionSecrets({}),
  })
  return entries
}

const merged = async (sources: Sources) =>
  Object.fromEntries((await merge(sources)).map(({ key, value }) => [key, value.toString()]))

describe('the merge of variables', () => {
  test('joins connection, client and HOOP_*, sorted by name', async () => {
    const entries = await merge({
      client: { 'envvar:Z': '1', 'envvar:B': '2' },
      connection: { 'filesystem:C': '3', 'envvar:A': '4' },
      own: { HOOP_USER_ID: '5' },
    })
    expect(entries.map(({ key }) => key)).toEqual([
      'envvar:A',
      'envvar:B',
      'filesystem:C',
      'envvar:HOOP_USER_ID',
      'envvar:Z',
    ])
  })

  test('the connection beats the client for the same key', async () => {
    expect(await merged({ connection: { 'envvar:A': 'conn' }, client: { 'envvar:A': 'client' } })).toEqual({
      'envvar:A': 'conn',
    })
  })

  test('the connection beats the client for the same name under the other prefix', async () => {
    expect(
      await merged({ connection: { 'envvar:A': 'conn' }, client: { 'filesystem:A': 'client' } }),
    ).toEqual({
      'envvar:A': 'conn',
    })
    expect(
      await merged({ connection: { 'filesystem:A': 'conn' }, client: { 'envvar:A': 'client' } }),
    ).toEqual({
      'filesystem:A': 'conn',
    })
  })

  test('an empty value of the connection beats the client too', async () => {
    expect(await merged({ connection: { 'envvar:A': '' }, client: { 'envvar:A': 'client' } })).toEqual({
      'envvar:A': '',
    })
  })

  test.each(['connection', 'client'])(
    'a file beats a variable of the same name within the %s',
    async (source) => {
      expect(await merged({ [source]: { 'filesystem:A': 'file', 'envvar:A': 'variable' } })).toEqual({
        'filesystem:A': 'file',
      })
      expect(await merged({ [source]: { 'envvar:A': 'variable', 'filesystem:A': 'file' } })).toEqual({
        'filesystem:A': 'file',
      })
    },
  )

  test('HOOP_* beat connection and client under either prefix', async () => {
    const forged = { 'envvar:HOOP_USER_EMAIL': 'forged', 'filesystem:HOOP_USER_ID': 'forged' }
    const own = { HOOP_USER_EMAIL: 'a@b.co', HOOP_USER_ID: 'u1' }
    expect(await merged({ connection: forged, client: forged, own })).toEqual({
      'envvar:HOOP_USER_EMAIL': 'a@b.co',
      'envvar:HOOP_USER_ID': 'u1',
    })
  })

  test('nobody can set one of the HOOP_* of the agent in a session that lacks it', async () => {
    const forged = { 'envvar:HOOP_USER_EMAIL': 'forged', 'filesystem:HOOP_SESSION_ID': 'forged' }
    expect(await merged({ connection: forged, client: forged })).toEqual({})
  })

  test("the mark of the agent's processes is the agent's alone", async () => {
    const name = 'RUNBOOK_AGENT_INSTANCE'
    const forged = { [`envvar:${name}`]: 'forged', [`filesystem:${name}`]: 'forged' }
    expect(await merged({ connection: forged, client: forged })).toEqual({})
    expect(await merged({ connection: forged, client: forged, own: { [name]: 'i-1' } })).toEqual({
      [`envvar:${name}`]: 'i-1',
    })
  })

  test('other HOOP_ variables and LD_PRELOAD of a client pass, as in hoop', async () => {
    const client = { 'envvar:HOOP_EXEC_MONGOSH_RUNTIME': '1', 'envvar:LD_PRELOAD': '/x.so' }
    expect(await merged({ client })).toEqual(client)
  })

  test('a client cannot set PATH, a connection can for its arguments', async () => {
    expect(await merged({ client: { 'envvar:PATH': '/evil', 'filesystem:PATH': '/evil' } })).toEqual({})
    expect(await merged({ connection: { 'envvar:PATH': '/opt' } })).toEqual({ 'envvar:PATH': '/opt' })
  })

  test('no client changes what a session without it would have had', async () => {
    const name = fc.constantFrom('PASS', 'PGPASSWORD', 'PATH', 'HOME', 'HOOP_USER_ID', 'HOOP_CLIENT_VERB')
    const key = fc.tuple(fc.constantFrom('envvar', 'filesystem'), name).map((parts) => parts.join(':'))
    const source = fc.dictionary(key, fc.constantFrom('', 'x', 'y'), { maxKeys: 6 })
    await fc.assert(
      fc.asyncProperty(source, source, async (connection, client) => {
        const common = { connection, connectionType: 'postgres', own: { HOOP_USER_ID: 'u' } }
        const withClient = await merged({ ...common, client })
        expect(withClient).toMatchObject(await merged(common))
        expect(Object.keys(withClient).length).toBe(
          new Set(Object.keys(withClient).map((each) => each.replace(/^.*:/, ''))).size,
        )
      }),
    )
  })
})

describe('the password under the name of the database client', () => {
  test.each([
    ['postgres', 'PGPASSWORD'],
    ['mysql', 'MYSQL_PWD'],
    ['mssql', 'SQLCMDPASSWORD'],
  ])('of %s is %s and overrides the connection', async (connectionType, name) => {
    const connection = { 'envvar:PASS': 'secret', [`filesystem:${name}`]: 'other' }
    expect(await merged({ connection, connectionType })).toEqual({
      'envvar:PASS': 'secret',
      [`envvar:${name}`]: 'secret',
    })
  })

  test.each(['command-line', 'mongodb', 'oracledb', ''])('is not set for %s', async (connectionType) => {
    const connection = { 'envvar:PASS': 'secret' }
    expect(await merged({ connection, connectionType })).toEqual(connection)
  })

  test('is not made from a file', async () => {
    const connection = { 'filesystem:PASS': 'secret' }
    expect(await merged({ connection, connectionType: 'postgres' })).toEqual(connection)
  })

  test('comes from the client when the connection has neither', async () => {
    const client = { 'envvar:PASS': 'mine', 'envvar:PGPASSWORD': 'other' }
    expect(await merged({ client, connectionType: 'postgres' })).toEqual({
      'envvar:PASS': 'mine',
      'envvar:PGPASSWORD': 'mine',
    })
  })

  test('of the client does not displace one that the connection set directly', async () => {
    const sources = { connection: { 'filesystem:PGPASSWORD': 'conn' }, client: { 'envvar:PASS': 'mine' } }
    expect(await merged({ ...sources, connectionType: 'postgres' })).toEqual({
      'envvar:PASS': 'mine',
      'filesystem:PGPASSWORD': 'conn',
    })
  })
})

describe('the origin of an entry', () => {
  const origins = async (sources: Sources) =>
    Object.fromEntries((await merge(sources)).map(({ name, origin }) => [name, origin]))

  test('is said by each', async () => {
    const sources = {
      connection: { 'envvar:A': '1', 'filesystem:B': '2' },
      client: { 'envvar:A': '3', 'envvar:B': '4', 'envvar:C': '5', 'filesystem:D': '6' },
      own: { HOOP_USER_ID: 'u', RUNBOOK_AGENT_INSTANCE: 'i' },
    }
    expect(await origins(sources)).toEqual({
      A: 'connection',
      B: 'connection',
      C: 'client',
      D: 'client',
      HOOP_USER_ID: 'agent',
      RUNBOOK_AGENT_INSTANCE: 'agent',
    })
  })

  test.each(['connection', 'client'])('is the %s for the password made from its PASS', async (source) => {
    expect(await origins({ [source]: { 'envvar:PASS': 'x' }, connectionType: 'mysql' })).toEqual({
      PASS: source,
      MYSQL_PWD: source,
    })
  })
})

describe('refusals', () => {
  const refuse = async (connection: Plain, client: Plain = {}) => {
    const { entries } = await mergeEntries({
      connection: new Map(Object.entries(connection)),
      client: new Map(Object.entries(client)),
      connectionType: 'command-line',
      own: new Map(),
      secrets: sessionSecrets({}),
    })
    return entries
  }

  test('bad base64 of a connection reads as in the recorded conversation', async () => {
    const url = new URL('../fixtures/transcripts/open-failure-two-closes.json', import.meta.url)
    const { packets } = JSON.parse(readFileSync(url, 'utf8')) as {
      packets: { type: string; payload?: string }[]
    }
    const recorded = packets.find(({ type }) => type === 'ClientSessionClose')?.payload ?? ''
    await expect(refuse({ 'envvar:BAD': '%%%' })).rejects.toThrow(
      new EnvvarError(Buffer.from(recorded, 'base64').toString()),
    )
  })

  test('everything undecodable in a connection is reported together, sorted by key', async () => {
    const connection = {
      'envvar:Z': 'YQ',
      'envvar:OK': 'YQ==',
      bad: 'Y',
      'filesystem:"Q"': base64('_envjson:A:b'),
    }
    await expect(refuse(connection)).rejects.toThrow(
      new EnvvarError(
        'failed decoding environment variables ["bad failed decoding value, illegal base64 data at input byte 0" ' +
          '"envvar:Z failed decoding value, illegal base64 data at input byte 0" ' +
          '"filesystem:\\"Q\\" environment variable \\"A\\" not found"]',
      ),
    )
  })

  test('a malformed key of a connection is refused after that, the first by name', async () => {
    await expect(refuse({ 'b:b': 'YQ==', a: 'YQ==' })).rejects.toThrow('want=[keytype:key], got=a')
  })

  test('bad base64 of a client is refused on its own', async () => {
    await expect(refuse({}, { 'envvar:X': 'YQ' })).rejects.toThrow(
      'failed decoding env var "X", err=illegal base64 data at input byte 0',
    )
  })

  test("a client's value is not even read when the connection has the key", async () => {
    expect((await refuse({ 'envvar:X': 'YQ==' }, { 'envvar:X': '%' })).map(({ key }) => key)).toEqual([
      'envvar:X',
    ])
  })

  test('more than 10,000 entries in all are refused', async () => {
    const many = (count: number, letter: string): Plain =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`envvar:${letter}${at}`, '']))
    expect(await refuse(many(5000, 'A'), many(5000, 'B'))).toHaveLength(10_000)
    await expect(refuse(many(5000, 'A'), many(5001, 'B'))).rejects.toThrow(
      'too many environment variables: 10001; at most 10000 are accepted',
    )
  })

  test('a NUL in a HOOP_* value is refused', async () => {
    await expect(merge({ own: { HOOP_USER_EMAIL: 'a\0b' } })).rejects.toThrow(
      'HOOP_USER_EMAIL contains a NUL byte',
    )
  })

  test('no refusal shows a value', async () => {
    const secret = base64('_vaultkv2:hunter2:hunter2')
    for (const connection of [{ 'envvar:A': secret }, { 'envvar:A': `${secret}%` }, { A: secret }]) {
      try {
        await refuse(connection)
        expect.unreachable()
      } catch (error) {
        const shown = inspect(error, { showHidden: true, depth: 9 })
        expect(shown).toContain('EnvvarError')
        expect(shown).not.toContain('hunter2')
        expect(shown).not.toContain(secret.slice(0, 16))
      }
    }
  })
})
