import { beforeEach, describe, expect, it } from 'vitest'
import { MaskingResult } from '../../../src/agent/masking/masking-result.ts'
import { LocalStream } from '../../../src/agent/masking/local-stream.ts'
import { Masking } from '../../../src/policy/masking/masking.ts'
import { EVERYTHING } from '../../../src/policy/masking/rules.ts'
import { OutputStopped } from '../../../src/policy/output-filter.ts'
import { decodeMaskedOutput } from '../../../src/wire/messages/masking-info.ts'
import type { Packet } from '../../../src/wire/packet.ts'
import type { ConnectionParams } from '../../../src/wire/params.ts'
import { own } from '../../support/owned.ts'
import { openSpec } from '../../support/scripted/open.ts'
import { Presidio } from '../../support/scripted/presidio.ts'
import { json } from '../../support/scripted/scripted-rest.ts'
import { agentForEachTest, gateway, restart, running } from '../../support/sites/each-agent.ts'
import { waitFor } from '../../support/wait.ts'

agentForEachTest()

let presidio: Presidio
let byPresidio: Partial<ConnectionParams>

beforeEach(async () => {
  presidio = own(await Presidio.start())
  byPresidio = {
    dlpProvider: 'mspresidio',
    dlpMode: 'strict',
    dlpPresidioAnalyzerUrl: presidio.analyzer.url,
    dlpPresidioAnonymizerUrl: presidio.anonymizer.url,
    dataMaskingEntityTypesData: rules({ types: ['EMAIL_ADDRESS', 'PERSON'] }),
  }
})

function rules(
  ...list: readonly { types?: readonly string[]; custom?: readonly object[]; threshold?: number }[]
) {
  const written = list.map(({ types, custom, threshold }, i) => ({
    id: String(i),
    name: `rule ${i}`,
    supported_entity_types: types === undefined ? null : [{ name: 'CUSTOM-SELECTION', entity_types: types }],
    score_threshold: threshold ?? null,
    custom_entity_types: custom ?? null,
  }))
  return Buffer.from(JSON.stringify(written))
}

const local = (types: readonly string[], dlpMode = 'strict'): Partial<ConnectionParams> => ({
  dlpProvider: 'alcatraz',
  dlpMode,
  dataMaskingEntityTypesData: rules({ types }),
})

/** One execution, as its gateway sees it. */
async function exec(sid: string, script: string, params: Partial<ConnectionParams>) {
  gateway.send('AgentSessionOpen', openSpec(sid, params))
  await waitFor(() => gateway.of(sid).length > 0)
  if (gateway.of(sid)[0]?.type === 'ClientSessionOpenOK')
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': sid }, script)
  const close = await gateway.closeOf(sid)
  const written = gateway.of(sid).filter(({ type }) => type.startsWith('ClientWrite'))
  const shown = (type: string) => textOf(written.filter((packet) => packet.type === `ClientWrite${type}`))
  return {
    stdout: shown('Stdout'),
    stderr: shown('Stderr'),
    code: String(close.spec['client.exit_code']),
    message: String(close.payload),
    told: [...written, close].flatMap(({ spec }) => {
      const info = spec['datamasking.info']
      return info === undefined ? [] : [decodeMaskedOutput(info)]
    }),
  }
}

function textOf(packets: readonly Packet[]): string {
  return packets.map(({ payload }) => String(payload)).join('')
}

/** Everything that the agent has written anywhere. */
function allWritten(): string {
  return [...running.log, ...running.entries.map((entry) => JSON.stringify(entry))].join('\n')
}

const SCRIPT = 'echo "Ada has ada@example.com"; echo "Grace has none" >&2'

describe('masking by Presidio', () => {
  it('masks stdout and stderr, for API answers and for command lines', async () => {
    for (const [sid, clientOrigin] of [
      ['s1', 'client-api'],
      ['s2', 'client'],
    ] as const) {
      const { stdout, stderr, code, message } = await exec(sid, SCRIPT, { ...byPresidio, clientOrigin })
      expect([stdout, stderr, code, message]).toEqual([
        '<PERSON> has <EMAIL_ADDRESS>\n',
        '<PERSON> has none\n',
        '0',
        '',
      ])
    }
  })

  it('is told in datamasking.info beside the output that was masked, and not beside other output', async () => {
    const { told } = await exec('s1', 'echo "Ada has ada@example.com"', byPresidio)
    expect(told).toEqual([
      {
        bytes: 18,
        counts: new Map([
          ['PERSON', 1],
          ['EMAIL_ADDRESS', 1],
        ]),
        errors: [],
      },
    ])
    expect((await exec('s2', 'echo nobody', byPresidio)).told).toEqual([])
  })

  it('is named in the log once per session, with its types and its mode', async () => {
    await exec('s1', SCRIPT, byPresidio)
    const lines = running.log.filter((line) => line.includes('"s1"') && line.includes('masked'))
    expect(lines).toEqual([
      `the output is masked ${JSON.stringify({
        ...{ sid: 's1', connection: 'test', by: `Presidio at ${presidio.analyzer.url}` },
        ...{ types: ['EMAIL_ADDRESS', 'PERSON'], mode: 'strict' },
      })}`,
    ])
  })

  it('unites several rules: all types, and the lowest threshold, where none counts as 0.5', async () => {
    const custom = [{ name: 'BADGE', regex: 'B-\\d+', score: 0.4 }]
    const united = rules(
      { types: ['PERSON'], threshold: 0.9 },
      { types: ['EMAIL_ADDRESS'] },
      { custom, threshold: 0.8 },
    )
    const { stdout } = await exec('s1', 'echo "Ada B-12"', {
      ...byPresidio,
      dataMaskingEntityTypesData: united,
    })
    expect(stdout).toBe('<PERSON> B-12\n')
    expect(presidio.analyzer.received[0]?.body).toMatchObject({
      score_threshold: 0.5,
      entities: ['PERSON', 'EMAIL_ADDRESS', 'BADGE'],
    })
  })

  it('replaces the findings here where the gateway names no anonymizer', async () => {
    const { stdout } = await exec('s1', SCRIPT, { ...byPresidio, dlpPresidioAnonymizerUrl: '' })
    expect(stdout).toBe('<PERSON> has <EMAIL_ADDRESS>\n')
  })

  it('strict: an error of the masker ends the session with 254, and not a byte of the piece leaves', async () => {
    presidio.analyzer.on('POST /analyze', json(500, { error: 'Ada has ada@example.com' }))
    const { stdout, stderr, code, message } = await exec('s1', `${SCRIPT}; sleep 60`, byPresidio)
    expect([stdout, stderr, code, message]).toEqual([
      '',
      '',
      '254',
      `the output must be masked (strict mode), but masking failed: Presidio's analyzer at ${presidio.analyzer.url} answered with status 500`,
    ])
    expect(running.entries.at(-1)).toMatchObject({ event: 'ended', reason: 'masking', exitCode: 254 })
    expect(allWritten()).not.toMatch(/Ada|ada@/)
  })

  it('strict: nothing leaves behind an error, not what was masked well before on the other stream either', async () => {
    const analysis = presidio.analyzer.scriptOf('POST /analyze')
    presidio.analyzer.on('POST /analyze', (received, response) => {
      const { text } = received.body as { text: string }
      ;(text.includes('fail') ? json(500, {}) : analysis)(received, response)
    })
    const script = 'echo "Ada"; sleep 0.3; echo "fail for Ada" >&2; sleep 0.3; echo "Grace again"; sleep 60'
    const { stdout, stderr, code } = await exec('s1', script, byPresidio)
    expect([stdout, stderr, code]).toEqual(['<PERSON>\n', '', '254'])
  })

  it('best effort: the piece passes as it is, which the packet, the log and the close say', async () => {
    presidio.analyzer.on('POST /analyze', json(500, { error: 'Ada' }))
    const { stdout, code, message, told } = await exec('s1', 'echo Ada', {
      ...byPresidio,
      dlpMode: 'best-effort',
    })
    const error = `Presidio's analyzer at ${presidio.analyzer.url} answered with status 500`
    expect([stdout, code, message]).toEqual(['Ada\n', '0', ''])
    expect(told).toEqual([
      { bytes: 0, counts: new Map(), errors: [error] },
      { bytes: 0, counts: new Map(), errors: [error] },
    ])
    expect(running.log.filter((line) => line.includes('passes unmasked'))).toHaveLength(1)
    expect(allWritten()).not.toContain('Ada')
  })

  it("takes the agent's own addresses and mode instead of the gateway's", async () => {
    const mine = own(await Presidio.start())
    const addresses = { analyzer: mine.analyzer.url, anonymizer: mine.anonymizer.url }
    await restart({ presidio: { ...addresses, mode: 'strict' } })
    const { stdout } = await exec('s1', SCRIPT, { ...byPresidio, dlpMode: 'best-effort' })
    expect(stdout).toBe('<PERSON> has <EMAIL_ADDRESS>\n')
    expect(presidio.analyzer.received).toEqual([])
    mine.analyzer.on('POST /analyze', json(500, {}))
    expect((await exec('s2', SCRIPT, { ...byPresidio, dlpMode: 'best-effort' })).code).toBe('254')
  })

  it("does not take the agent's own addresses for another provider", async () => {
    const addresses = { analyzer: presidio.analyzer.url, anonymizer: presidio.anonymizer.url }
    await restart({ presidio: { ...addresses, mode: 'strict' } })
    expect((await exec('s1', 'echo Ada', { dlpProvider: '' })).stdout).toBe('Ada\n')
    expect((await exec('s2', 'echo ada@example.com', local(['EMAIL_ADDRESS']))).stdout).toBe(
      '<EMAIL_ADDRESS>\n',
    )
    expect(presidio.analyzer.received).toEqual([])
  })
})

describe('masking by the local engine', () => {
  it('masks both outputs and counts what it masked', async () => {
    const { stdout, told } = await exec('s1', 'echo "mail ada@example.com"', local(['EMAIL_ADDRESS']))
    expect(stdout).toBe('mail <EMAIL_ADDRESS>\n')
    expect(told).toEqual([{ bytes: 15, counts: new Map([['EMAIL_ADDRESS', 1]]), errors: [] }])
  })

  it('strict: types that need a language model are refused by name, and nothing runs', async () => {
    const { code, message } = await exec(
      's1',
      'echo ran',
      local(['PERSON', 'EMAIL_ADDRESS', 'LOCATION', 'NRP']),
    )
    expect([code, message]).toEqual([
      '254',
      'the output must be masked (strict mode), but masking is not possible: PERSON, LOCATION, NRP: only a language model finds these; use Presidio. Nothing was run',
    ])
  })

  it('best effort: the other types are masked, and the log, the first output and the close name those that are not', async () => {
    const params = local(['PERSON', 'EMAIL_ADDRESS'], 'best-effort')
    const { stdout, code, told } = await exec('s1', 'echo "Ada ada@example.com"', params)
    expect([stdout, code]).toEqual(['Ada <EMAIL_ADDRESS>\n', '0'])
    const error = 'PERSON: only a language model finds these; use Presidio'
    expect(told.map(({ errors }) => errors)).toEqual([[error], [error]])
    expect(running.log.filter((line) => line.includes(error))).toHaveLength(1)
  })

  it('refuses a type that it does not know, by name', async () => {
    const { message } = await exec('s1', 'echo ran', local(['SHOE_SIZE']))
    expect(message).toContain('SHOE_SIZE: not a type of the local engine')
  })

  it('masks before secrets are replaced and before the output is cut off', async () => {
    await restart({ outputCapBytes: 4096 })
    const script = 'for i in $(seq 2000); do echo "ada@example.com $TOKEN"; done'
    const envVars = new Map([['envvar:TOKEN', Buffer.from('s3cr3t-of-the-test').toString('base64')]])
    const { stdout, told } = await exec('s1', script, { ...local(['EMAIL_ADDRESS']), envVars })
    expect(stdout).not.toMatch(/ada@|s3cr3t/)
    expect(stdout).toContain('<EMAIL_ADDRESS>')
    const masked = told.reduce((sum, { counts }) => sum + (counts.get('EMAIL_ADDRESS') ?? 0), 0)
    expect(masked).toBe(2000)
  })
})

describe('masking that is asked for and cannot be done', () => {
  const asked = (dlpProvider: string): Partial<ConnectionParams> => ({
    dlpProvider,
    dataMaskingEntityTypesData: rules({ types: ['EMAIL_ADDRESS'] }),
  })
  const cases: readonly (readonly [string, () => Partial<ConnectionParams>, string])[] = [
    [
      'gcp with its list of types',
      () => ({ dlpProvider: 'gcp', dlpInfoTypes: ['EMAIL_ADDRESS'] }),
      'Google Cloud DLP',
    ],
    ['a provider that nobody knows', () => asked('newest'), 'does not support the provider "newest"'],
    ['no address of an analyzer', () => asked('mspresidio'), "the address of Presidio's analyzer"],
    [
      'an address of an anonymizer that is none',
      () => ({ ...byPresidio, dlpPresidioAnonymizerUrl: 'presidio:3000' }),
      "the address of Presidio's anonymizer",
    ],
    [
      'rules that are no JSON',
      () => ({ dlpProvider: 'alcatraz', dataMaskingEntityTypesData: Buffer.from('{"Ada"') }),
      'unable to decode data masking rules',
    ],
    [
      'a custom type whose regex RE2 does not take',
      () => ({
        dlpProvider: 'alcatraz',
        dataMaskingEntityTypesData: rules({ custom: [{ name: 'BAD', regex: '(?!x)', score: 1 }] }),
      }),
      'BAD',
    ],
    ['a terminal', () => ({ ...byPresidio, clientVerb: 'connect' }), 'a terminal cannot be masked'],
  ]

  it.each(cases)('is refused in strict mode, before anything runs: %s', async (_, params, reason) => {
    const { code, message, stdout } = await exec('s1', 'echo ran', { ...params(), dlpMode: 'strict' })
    expect([code, stdout]).toEqual(['254', ''])
    expect(message).toContain(reason)
    expect(message).toContain('masked')
    expect(message).toContain('Nothing was run')
    expect(message).not.toContain('Ada')
  })

  it.each(cases.slice(0, -1))(
    'lets the output pass in best-effort mode, and says it in the log, with the first output and the close: %s',
    async (_, params, reason) => {
      const { stdout, code, told } = await exec('s1', 'echo ran', { ...params(), dlpMode: 'best-effort' })
      expect([stdout, code]).toEqual(['ran\n', '0'])
      expect(told.flatMap(({ errors }) => errors).join()).toContain(reason)
      expect(told).toHaveLength(2)
      expect(running.log.filter((line) => line.includes('passes unmasked'))).toHaveLength(1)
    },
  )
})

describe('nothing to mask', () => {
  it.each<readonly [string, Partial<ConnectionParams>]>([
    ['no provider', { dlpMode: 'strict', dataMaskingEntityTypesData: rules({ types: ['PERSON'] }) }],
    ['a provider and no data', { dlpProvider: 'mspresidio', dlpMode: 'strict' }],
    [
      'an empty list of rules',
      { dlpProvider: 'alcatraz', dlpMode: 'strict', dataMaskingEntityTypesData: rules() },
    ],
    ['null', { dlpProvider: 'alcatraz', dlpMode: 'strict', dataMaskingEntityTypesData: Buffer.from('null') }],
    [
      'a rule without types',
      { dlpProvider: 'alcatraz', dlpMode: 'strict', dataMaskingEntityTypesData: rules({}) },
    ],
    [
      'the list of types for gcp, with another provider',
      { dlpProvider: 'alcatraz', dlpMode: 'strict', dlpInfoTypes: ['PERSON'] },
    ],
  ])('is no reason to refuse or to say anything: %s', async (_, params) => {
    const { stdout, code, told } = await exec('s1', 'echo Ada', params)
    expect([stdout, code, told]).toEqual(['Ada\n', '0', []])
    expect(running.log.filter((line) => line.includes('mask'))).toEqual([])
  })
})

const RULES = Buffer.from(
  JSON.stringify([{ supported_entity_types: [{ entity_types: ['PERSON'] }], custom_entity_types: null }]),
)

it.each(['strict', 'best-effort'])(
  'a session that the gateway closes waits for no answer of Presidio, and shows nothing (%s)',
  async (dlpMode) => {
    const presidio = own(await Presidio.start())
    const closed = new Promise<void>((resolve) =>
      presidio.analyzer.on('POST /analyze', (_, response) => void response.on('close', resolve)),
    )
    const params = { dlpProvider: 'mspresidio', dlpMode, dataMaskingEntityTypesData: RULES }
    gateway.send(
      'AgentSessionOpen',
      openSpec('s1', { ...params, dlpPresidioAnalyzerUrl: presidio.analyzer.url }),
    )
    await waitFor(() => gateway.of('s1').length > 0)
    gateway.send('AgentExecWriteStdin', { 'gateway.session_id': 's1' }, 'echo Ada; sleep 60')
    await waitFor(() => presidio.analyzer.received.length > 0)
    gateway.send('AgentSessionClose', { 'gateway.session_id': 's1' })
    await closed
    await waitFor(() => running.entries.some(({ event }) => event === 'ended'))
    expect(running.entries.at(-1)).toMatchObject({
      event: 'ended',
      reason: 'closed-by-gateway',
      bytesSent: 0,
    })
    // As it would be said when the 5 s had passed.
    expect(running.log.join('\n')).not.toMatch(/did not answer|passes unmasked/)
  },
)

/** Each `a` looks through the rest of its line. */
const BACK_AND_FORTH = { name: 'SLOW', regex: 'a.*b|a', denyList: [], score: 1 }
const LINE = Buffer.from(`${'a'.repeat(2000)}\n`)

/** No window may take any time. */
function stream(isStrict: boolean) {
  const told: string[] = []
  const result = new MaskingResult(isStrict, (error) => told.push(error))
  const masking = new Masking({ ...EVERYTHING, entities: [], custom: [BACK_AND_FORTH] })
  return { stream: new LocalStream(masking, result, { count: 0 }, 0), result, told }
}

const GAVE_UP = 'masking a part of the output took the local engine more than 0 s'

it('best effort: output for which a regex takes too long passes, and after the third time all of it, which is said', async () => {
  const { stream: local, result, told } = stream(false)
  for (let n = 0; n < 3; n++) expect(await local.push(LINE)).toEqual(LINE)
  // Nothing of these is looked at.
  expect([local.push(LINE), local.push(Buffer.from('rest')), local.end()].map(String)).toEqual([
    String(LINE),
    'rest',
    '',
  ])
  const rest = 'masking by the local engine took too long several times: the remaining output passes unmasked'
  expect(told).toEqual([GAVE_UP, rest])
  expect(result.takeLast()?.errors).toEqual([GAVE_UP, rest])
})

it('strict: output for which a regex takes too long ends the session, and nothing of it leaves', async () => {
  const error: unknown = await Promise.resolve(stream(true).stream.push(LINE)).catch(
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(OutputStopped)
  expect((error as Error).message).toBe(
    `the output must be masked (strict mode), but masking failed: ${GAVE_UP}`,
  )
})
