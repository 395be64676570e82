import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkServer } from '../../../src/agent/opening/liveness.ts'
import { type CompiledGuardrails, SessionGuardrails } from '../../../src/agent/policy/guardrails.ts'
import { RefusedError } from '../../../src/agent/refused.ts'
import { CompiledCache } from '../../../src/policy/compiled-cache.ts'
import { encodeStringList } from '../../../src/wire/params.ts'
import { base64, openSpec } from '../../support/scripted/open.ts'
import { agentForEachTest, gateway } from '../../support/sites/each-agent.ts'
import { waitFor } from '../../support/wait.ts'

agentForEachTest()

/** The output of a script on a connection with these variables, of which the gateway calls some plain. */
async function shown(
  script: string,
  variables: Record<string, string>,
  { plain = [], added = {} }: { plain?: string[]; added?: Record<string, Buffer> },
): Promise<string> {
  const sid = 'plain'
  const envVars = new Map(Object.entries(variables).map(([key, value]) => [key, base64(value)]))
  gateway.send('AgentSessionOpen', {
    ...openSpec(sid, { envVars, plainEnvVars: plain }, { 'envvar:OF_CALLER': base64('kJ8-xx2p-caller') }),
    ...added,
  })
  await waitFor(() => gateway.of(sid).length > 0)
  gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
  await gateway.closeOf(sid)
  return gateway.written(sid)
}

it("a connection's variable that the gateway calls plain is shown, unless it is a file or its name sounds secret", async () => {
  const variables = {
    'envvar:NOTE': 'kJ8-xx2p-note',
    'envvar:OTHER': 'kJ8-xx2p-other',
    'envvar:DB_PASSWORD': 'kJ8-xx2p-password',
    'filesystem:SETTINGS': 'kJ8-xx2p-settings',
  }
  const script = 'echo "$NOTE $OTHER $DB_PASSWORD $(cat "$SETTINGS") $OF_CALLER"'
  expect(await shown(script, variables, { plain: ['NOTE', 'DB_PASSWORD', 'SETTINGS', 'OF_CALLER'] })).toBe(
    'kJ8-xx2p-note [REDACTED] [REDACTED] [REDACTED] kJ8-xx2p-caller\n',
  )
})

it.each(['agent.plain_envvars', 'agent.plain_env_vars', 'PlainEnvVars'])(
  'a key %s that a client has added to its opening makes no variable plain',
  async (key) => {
    const added = { [key]: encodeStringList(['NOTE']) }
    expect(await shown('echo "$NOTE"', { 'envvar:NOTE': 'kJ8-xx2p-note' }, { added })).toBe('[REDACTED]\n')
  },
)

const asking = (...patterns: string[]) => ({
  guardRailRules: Buffer.from(
    JSON.stringify({
      input_rules: [{ rules: [{ type: 'deny_words_list', words: ['DROP'] }] }],
      output_rules: [{ rules: patterns.map((pattern_regex) => ({ type: 'pattern_match', pattern_regex })) }],
    }),
  ),
  dlpProvider: '',
  clientVerb: 'exec',
})

const { signal: ended } = new AbortController()

function countingCache() {
  const cache = new CompiledCache<CompiledGuardrails>()
  const compiled: number[] = []
  const get = cache.get.bind(cache)
  cache.get = (payload, compile) =>
    get(payload, () => {
      compiled.push(payload.length)
      return compile()
    })
  return { cache, compiled }
}

describe('SessionGuardrails', () => {
  it('compiles the rules of several sessions once, and other rules anew', async () => {
    const { cache, compiled } = countingCache()
    for (let session = 0; session < 3; session++) {
      const rules = await SessionGuardrails.of(asking('b+'), undefined, cache)
      expect(await rules?.judge(Buffer.from('DROP TABLE a'), [], 0, ended)).toMatchObject({
        info: { words: ['DROP'] },
      })
      expect(await rules?.judge(Buffer.from('SELECT 1'), [], 0, ended)).toBeUndefined()
    }
    expect(compiled).toHaveLength(1)
    await SessionGuardrails.of(asking('c+'), undefined, cache)
    expect(compiled).toHaveLength(2)
  })

  it('refuses each session whose rules cannot be enforced', async () => {
    const { cache } = countingCache()
    for (let session = 0; session < 2; session++)
      await expect(SessionGuardrails.of(asking('(?!x)'), undefined, cache)).rejects.toThrow(RefusedError)
  })

  it('judges the outputs of sessions that share their rules, each for itself, however they come in turns', async () => {
    const { cache } = countingCache()
    const asked = asking('a.{3}b\\b', '(?i)drop\\s+table', 'é+x$')
    const word = fc.constantFrom('a', 'axyzb', ' ', 'DROP ', 'table', 'é', 'x', '\n', 'plain text ')
    const output = fc.array(word, { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(fc.array(output, { minLength: 2, maxLength: 4 }), async (outputs) => {
        const alone = []
        for (const pieces of outputs) alone.push(await shown(pieces, new CompiledCache()))
        expect(await Promise.all(outputs.map((pieces) => shown(pieces, cache)))).toEqual(alone)
      }),
      { numRuns: 50 },
    )

    /** What a session shows of these pieces, up to a violation. */
    async function shown(
      pieces: readonly string[],
      shared: CompiledCache<CompiledGuardrails>,
    ): Promise<string> {
      const filter = (await SessionGuardrails.of(asked, undefined, shared))?.filters(false, ended)[0]?.()
      let text = ''
      try {
        for (const piece of pieces) text += String(await filter?.push(Buffer.from(piece)))
        return text + String(await filter?.end())
      } catch (error) {
        return `${text}: ${(error as Error).message}`
      }
    }
  })
})

/** An address to which TCP connects nowhere, without a look-up. */
const NOWHERE = '255.255.255.255'
const database = { HOST: NOWHERE, USER: 'u', PASS: 'p' }

/** @returns the text that closes the session */
async function refusal(type: string, variables: Record<string, string>): Promise<string> {
  const error: unknown = await checkServer(type, (name) => variables[name]).catch((error: unknown) => error)
  if (!(error instanceof RefusedError)) throw new Error('a server was found where there is none')
  return error.message
}

const tried = (port: number, host = NOWHERE) => `failed connecting to remote host=${host}, port=${port}, `

describe('the address of a database server', () => {
  it.each([
    ['postgres', 5432],
    ['mysql', 3306],
    ['mssql', 1433],
    ['mongodb', 27017],
  ])('of type %s has the port %i unless PORT says another', async (type, port) => {
    expect(await refusal(type, database)).toContain(tried(port))
    expect(await refusal(type, { ...database, PORT: '' })).toContain(tried(port))
    expect(await refusal(type, { ...database, PORT: '65535' })).toContain(tried(65535))
  })

  it.each(['0', '65536', '1.5', '-1', 'x', '5432x'])('has no port %s', async (port) => {
    expect(await refusal('mysql', { ...database, PORT: port })).toBe(
      'PORT of the mysql connection is not a port number',
    )
    expect(await refusal('tcp', { HOST: NOWHERE, PORT: port })).toContain('[HOST, PORT]')
  })

  it.each(['disable', 'prefer', 'require', 'verify-full', ''])('takes the SSLMODE %j', async (mode) => {
    expect(await refusal('postgres', { ...database, SSLMODE: mode })).toContain(tried(5432))
  })

  it.each(['on', 'off', 'true', 'false', '1', '0', ''])('takes the RESULT_METADATA %j', async (value) => {
    expect(await refusal('mysql', { ...database, RESULT_METADATA: value })).toContain(tried(3306))
  })
})

describe('the address in a connection string of MongoDB', () => {
  it.each([
    [`mongodb://u:sesame@${NOWHERE}/db`, tried(27017)],
    [`mongodb://u:sesame@${NOWHERE}:7,other:8/db?x=1`, tried(7)],
    [`mongodb://${NOWHERE}:7`, tried(7)],
    [`mongodb://u:ses@me@${NOWHERE}:7/db`, tried(7)],
    ['mongodb://u:sesame@[::1]:1/db', tried(1, '::1')],
    [`mongodb://u:ses/ame@${NOWHERE}:7/db`, 'failed parsing mongodb connection string'],
    [`mongodb://u:ses?ame@${NOWHERE}:7/db`, 'failed parsing mongodb connection string'],
    [`http://u:sesame@${NOWHERE}:7/db`, 'failed parsing mongodb connection string'],
    [`mongodb://u:sesame@${NOWHERE}:port/db`, 'failed parsing mongodb connection string'],
  ])('%s is the first host, and a text about it has nothing of the password', async (uri, expected) => {
    const text = await refusal('mongodb', { CONNECTION_STRING: uri })
    expect(text).toContain(expected)
    expect(text).not.toMatch(/ses|ame|me@/)
  })
})
