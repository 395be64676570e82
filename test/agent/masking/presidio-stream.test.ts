import fc from 'fast-check'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { MaskingResult } from '../../../src/agent/masking/masking-result.ts'
import { Breaker, PresidioStream } from '../../../src/agent/masking/presidio-stream.ts'
import {
  type PresidioRequest,
  presidioService,
  type PresidioService,
} from '../../../src/agent/masking/presidio.ts'
import { OutputStopped } from '../../../src/policy/output-filter.ts'
import { own } from '../../support/owned.ts'
import { Presidio } from '../../support/scripted/presidio.ts'
import { json, type Script, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { waitFor } from '../../support/wait.ts'

let presidio: Presidio
let urls: Readonly<Record<PresidioService['name'], string>>

beforeEach(async () => {
  presidio = own(await Presidio.start())
  urls = { analyzer: presidio.analyzer.url, anonymizer: presidio.anonymizer.url }
})

const WANTED: PresidioRequest = {
  entities: ['EMAIL_ADDRESS', 'PERSON', 'URL'],
  custom: [],
  threshold: 0.5,
}

/** What the breaker takes for the time, in ms. */
let clock = 0

/** Two streams of one session would share the result. */
function masker(
  options: Partial<PresidioRequest> = {},
  { anonymizer = true, isStrict = false, patienceMs = 60_000 } = {},
) {
  const told: string[] = []
  const result = new MaskingResult(isStrict, (error) => told.push(error))
  const serviceAt = (name: PresidioService['name'], base: string) => {
    const service = presidioService(name, base, patienceMs)
    if (service === undefined) throw new Error(`${base} is no address`)
    return service
  }
  const services = {
    analyzer: serviceAt('analyzer', `${urls.analyzer}/`),
    anonymizer: anonymizer ? serviceAt('anonymizer', urls.anonymizer) : undefined,
  }
  const ended = new AbortController()
  const request = { ...WANTED, ...options }
  const session = { services, request, result, breaker: new Breaker(() => clock), ended: ended.signal }
  return { stream: new PresidioStream(session), session, result, told, end: () => ended.abort() }
}

async function through(stream: PresidioStream, ...chunks: readonly (string | Buffer)[]): Promise<Buffer> {
  const shown: Buffer[] = []
  for (const chunk of chunks) shown.push(Buffer.from(await stream.push(Buffer.from(chunk))))
  shown.push(await stream.end())
  return Buffer.concat(shown)
}

const masked = async (text: string) => String(await through(masker().stream, text))

describe('what is sent to Presidio', () => {
  it('is text, language, threshold and types for POST /analyze, with one / of the base cut; empty lists are left out', async () => {
    await masked('Ada\n')
    await through(masker({ entities: [] }).stream, 'Ada\n')
    const bodies = presidio.analyzer.asked('POST /analyze').map(({ body }) => body)
    expect(bodies).toEqual([
      { text: 'Ada\n', language: 'en', score_threshold: 0.5, entities: WANTED.entities },
      { text: 'Ada\n', language: 'en', score_threshold: 0.5 },
    ])
    expect(presidio.analyzer.received[0]?.headers['content-type']).toBe('application/json')
  })

  it('has a custom type as a recognizer of its own, asked for by its name; without a regex it has no patterns', async () => {
    const custom = [
      { name: 'BADGE', regex: 'B-\\d{4}', denyList: [], score: 0.9 },
      { name: 'CODENAME', regex: undefined, denyList: ['falcon'], score: 1 },
    ]
    const shown = await through(
      masker({ entities: ['PERSON'], custom }).stream,
      'Ada B-1234 falcon falcons\n',
    )
    expect(String(shown)).toBe('<PERSON> <BADGE> <CODENAME> falcons\n')
    expect(presidio.analyzer.received[0]?.body).toMatchObject({
      entities: ['PERSON', 'BADGE', 'CODENAME'],
      ad_hoc_recognizers: [
        {
          ...{ name: 'BADGE', supported_language: 'en', supported_entity: 'BADGE', deny_list: [] },
          patterns: [{ name: 'BADGE', regex: 'B-\\d{4}', score: 0.9 }],
        },
        { name: 'CODENAME', deny_list: ['falcon'], patterns: [] },
      ],
    })
  })

  it('is never an empty text, and goes to the anonymizer only with something found', async () => {
    expect(await masked('')).toBe('')
    expect(presidio.analyzer.received).toEqual([])
    expect(await masked('nobody\n')).toBe('nobody\n')
    expect(presidio.anonymizer.received).toEqual([])
  })

  it('is whole lines, at most 64 KiB of them, whatever the pieces in which they came', async () => {
    const line = `${'x'.repeat(90)} ada@example.com\n`
    const { stream, told } = masker()
    const text = line.repeat(3000)
    const shown = await through(stream, text.slice(0, 100_050), text.slice(100_050))
    expect(told).toEqual([])
    expect(String(shown)).toBe(text.replaceAll('ada@example.com', '<EMAIL_ADDRESS>'))
    const sent = presidio.analyzer.received.map(({ body }) => (body as { text: string }).text)
    expect(sent.join('')).toBe(text)
    for (const piece of sent) {
      expect(piece.endsWith('\n')).toBe(true)
      expect(Buffer.byteLength(piece)).toBeLessThanOrEqual(64 * 1024)
    }
    expect(sent.length).toBeLessThan(10)
  })
})

const TEXT = 'Ada has ada@example.com\n'
const finding = { entity_type: 'PERSON', start: 0, end: 3, score: 0.85 }
const findings = (...list: readonly object[]) => json(200, list)
const raw =
  (body: string, status = 200): Script =>
  (_, response) =>
    void response.writeHead(status).end(body)

/** Sends until nobody listens any more. */
const endless: Script = (_, response) => {
  const piece = Buffer.alloc(1024 * 1024, ' ')
  let sent = 0
  const more = () => {
    while (sent < 500 && !response.destroyed && response.write(piece)) sent += 1
  }
  response.on('drain', more).on('close', () => (endlessMiB = sent))
  response.write('[')
  more()
}
let endlessMiB: number | undefined

const halfOf =
  (body: string): Script =>
  (_, response) => {
    response.writeHead(200, { 'Content-Length': body.length * 2 })
    response.write(body, () => void response.socket?.resetAndDestroy())
  }

describe('a Presidio that fails', () => {
  const BAD_FINDING = 'sent finding number 1, which is not valid for this text'
  const cases: readonly (readonly [string, Script, string])[] = [
    ['status 400', json(400, { error: `Failed to parse ${TEXT}` }), 'answered with status 400'],
    ['status 500 that quotes the text', json(500, { error: TEXT }), 'answered with status 500'],
    ['no JSON', raw(TEXT), 'sent an answer that is not JSON'],
    ['nothing', raw(''), 'sent an answer that is not JSON'],
    ['half an answer', halfOf(JSON.stringify([finding])), 'ended its answer early'],
    ['500 MB of answer', endless, 'sent an answer of more than 4 MiB'],
    [
      'a map instead of a list',
      json(200, { findings: [finding] }),
      'sent an answer that is not a list of findings',
    ],
    ['lists of a list of texts', json(200, [[finding]]), BAD_FINDING],
    ['an end beyond the text', findings({ ...finding, end: TEXT.length + 1 }), BAD_FINDING],
    ['a negative start', findings({ ...finding, start: -1 }), BAD_FINDING],
    ['an end before its start', findings({ ...finding, start: 3, end: 0 }), BAD_FINDING],
    ['an empty finding', findings({ ...finding, end: 0 }), BAD_FINDING],
    ['a fraction of a place', findings({ ...finding, end: 2.5 }), BAD_FINDING],
    ['a place as a text', findings({ ...finding, end: '3' }), BAD_FINDING],
    ['a score that is none', findings({ ...finding, score: 'high' }), BAD_FINDING],
    [
      'a type that is a piece of the text',
      findings({ ...finding, entity_type: 'ada@example.com' }),
      BAD_FINDING,
    ],
    ['null as a finding', json(200, [null]), BAD_FINDING],
  ]

  it.each(cases)('is not believed: the analyzer gives %s', async (_, script, message) => {
    presidio.analyzer.on('POST /analyze', script)
    await expectUnmasked(`Presidio's analyzer at ${urls.analyzer} ${message}`)
    expect(presidio.anonymizer.received).toEqual([])
  })

  it('is not read to the end when its answer is 500 MB', async () => {
    endlessMiB = undefined
    presidio.analyzer.on('POST /analyze', endless)
    await masked(TEXT)
    await waitFor(() => endlessMiB !== undefined)
    expect(endlessMiB).toBeLessThan(50)
  })

  const NOT_BELIEVED = 'sent a text with changes outside of the findings'
  it.each<readonly [string, Script, string]>([
    ['status 422', json(422, { error: TEXT }), 'answered with status 422'],
    ['no text', json(200, { items: [] }), 'sent an answer without a string'],
    ['null', json(200, null), 'sent an answer without a string'],
    ['the text as it was', json(200, { text: TEXT }), NOT_BELIEVED],
    ['a text with one of two replaced', json(200, { text: '<PERSON> has ada@example.com\n' }), NOT_BELIEVED],
    [
      'what was found behind its replacement',
      json(200, { text: '<PERSON>Ada has <EMAIL_ADDRESS>\n' }),
      NOT_BELIEVED,
    ],
    ['another text', json(200, { text: '<PERSON> had <EMAIL_ADDRESS>\n' }), NOT_BELIEVED],
    ['a text without its end', json(200, { text: '<PERSON> has <EMAIL_ADDRESS>' }), NOT_BELIEVED],
    ['types that were not found', json(200, { text: '<URL> has <EMAIL_ADDRESS>\n' }), NOT_BELIEVED],
  ])('is not believed: the anonymizer gives %s', async (_, script, message) => {
    presidio.anonymizer.on('POST /anonymize', script)
    await expectUnmasked(`Presidio's anonymizer at ${urls.anonymizer} ${message}`)
  })

  it('is not believed when it sends on to another host, which hears nothing', async () => {
    const other = own(await ScriptedRest.start())
    presidio.analyzer.on('POST /analyze', (_, response) => {
      response.writeHead(307, { Location: `${other.url}/analyze` }).end()
    })
    await expectUnmasked(`Presidio's analyzer at ${urls.analyzer} answered with status 307`)
    expect(other.received).toEqual([])
  })

  it('is away', async () => {
    await presidio.analyzer[Symbol.asyncDispose]()
    await expectUnmasked(/^Presidio's analyzer at http:\/\/127.0.0.1:\d+ cannot be reached \(ECONNREFUSED\)$/)
  })

  it('is silent: the call ends, and so does its connection', async () => {
    const ended = new Promise<void>((resolve) =>
      presidio.analyzer.on('POST /analyze', (_, response) => void response.on('close', resolve)),
    )
    const { stream, result } = masker({}, { patienceMs: 50 })
    expect(String(await through(stream, TEXT))).toBe(TEXT)
    expect(result.take()?.errors[0]).toContain('did not answer within 0.05 s')
    await ended
  })

  it('stops in the middle of its answer: the call ends all the same', async () => {
    presidio.analyzer.on('POST /analyze', (_, response) => void response.writeHead(200).write('['))
    const { stream, result } = masker({}, { patienceMs: 50 })
    expect(String(await through(stream, TEXT))).toBe(TEXT)
    expect(result.take()?.errors[0]).toContain('did not answer within 0.05 s')
  })

  it('is given 5 seconds', () => {
    expect(presidioService('analyzer', urls.analyzer)?.patienceMs).toBe(5000)
  })

  it('fails for one piece only: the next one is asked for', async () => {
    let asked = 0
    const analysis = presidio.analyzer.scriptOf('POST /analyze')
    presidio.analyzer.on('POST /analyze', (received, response) => {
      asked += 1
      ;(asked === 1 ? json(500, {}) : analysis)(received, response)
    })
    const { stream, told } = masker()
    const shown = [await stream.push(Buffer.from(TEXT)), await stream.push(Buffer.from(TEXT))]
    expect(shown.map(String)).toEqual([TEXT, '<PERSON> has <EMAIL_ADDRESS>\n'])
    expect(told).toHaveLength(1)
  })
})

describe('a Presidio that fails again and again', () => {
  /** Each failure takes 5 s, as far as the breaker knows. */
  const silent: Script = (_, response) => {
    clock += 5000
    json(500, {})(_, response)
  }
  const push = async (stream: PresidioStream) => String(await stream.push(Buffer.from(TEXT)))
  const asked = () => presidio.analyzer.asked('POST /analyze').length

  it('is asked no more after three failures: output passes at once, which is said once', async () => {
    presidio.analyzer.on('POST /analyze', silent)
    const { stream, session, result, told } = masker()
    for (let piece = 0; piece < 100; piece++) expect(await push(stream)).toBe(TEXT)
    expect(await push(new PresidioStream(session))).toBe(TEXT)
    expect(asked()).toBe(3)
    const failed = `Presidio's analyzer at ${urls.analyzer} answered with status 500`
    const passes =
      'Presidio keeps failing: output passes unmasked; the agent tries Presidio again from time to time'
    expect(told).toEqual([failed, passes])
    expect(result.take()?.errors).toEqual([failed, passes])
    await push(stream)
    expect(result.take()).toBeUndefined()
    expect(result.takeLast()?.errors).toEqual([failed, passes])
  })

  it('is asked once after ten times what the last failure took, and masks again when it answers', async () => {
    const analysis = presidio.analyzer.scriptOf('POST /analyze')
    presidio.analyzer.on('POST /analyze', silent)
    const { stream } = masker()
    for (let piece = 0; piece < 3; piece++) await push(stream)
    clock += 49_999
    expect([await push(stream), asked()]).toEqual([TEXT, 3])
    clock += 1
    expect([await push(stream), await push(stream), asked()]).toEqual([TEXT, TEXT, 4])
    presidio.analyzer.on('POST /analyze', analysis)
    clock += 50_000
    for (let piece = 0; piece < 2; piece++) expect(await push(stream)).toBe('<PERSON> has <EMAIL_ADDRESS>\n')
  })

  it('is asked each time when its failures take no time', async () => {
    presidio.analyzer.on('POST /analyze', json(500, {}))
    const { stream } = masker()
    for (let piece = 0; piece < 10; piece++) await push(stream)
    expect(asked()).toBe(10)
  })
})

describe('a session that is over', () => {
  it.each([true, false])('ends the call under way, and shows nothing more (strict: %s)', async (isStrict) => {
    const { stream, result, end } = masker({}, { isStrict })
    const closed = new Promise<void>((resolve) =>
      presidio.analyzer.on('POST /analyze', (_, response) => {
        response.on('close', resolve)
        end()
      }),
    )
    expect(String(await stream.push(Buffer.from(`${TEXT}Ada`)))).toBe('')
    await closed
    expect(String(await through(stream, TEXT))).toBe('')
    expect(presidio.analyzer.received).toHaveLength(1)
    expect(result.takeLast()?.errors).toEqual([
      'the session ended before Presidio answered: the remaining output is not shown',
    ])
  })
})

/** Best-effort mode gives on the text and says it; strict mode gives on nothing. Neither quotes a byte of it. */
async function expectUnmasked(message: string | RegExp): Promise<void> {
  const { stream, result, told } = masker()
  expect(String(await through(stream, TEXT))).toBe(TEXT)
  const [error = ''] = told
  expect(error).toMatch(message)
  expect(result.take()).toEqual({ bytes: 0, counts: new Map(), errors: [error] })
  const strict = await through(masker({}, { isStrict: true }).stream, TEXT).catch((cause: unknown) => cause)
  expect(strict).toBeInstanceOf(OutputStopped)
  expect((strict as Error).message).toBe(
    `the output must be masked (strict mode), but masking failed: ${error}`,
  )
  expect(error).not.toMatch(/Ada|ada@/)
}

describe('what Presidio has found', () => {
  it('is counted in code points: characters of two units and of four bytes before it move nothing', async () => {
    expect(await masked('😀😀 é Łukasz, 😀lga ada@example.com 😀\n')).toBe(
      '😀😀 é <PERSON>, <PERSON> <EMAIL_ADDRESS> 😀\n',
    )
  })

  it.each([
    ['one inside another', 'see https://ada@example.com/x\n', 'see <URL>\n'],
    ['neighbours of one type', 'Ada Grace, Ada\n', '<PERSON>, <PERSON>\n'],
    ['neighbours of two types', 'Ada ada@example.com\n', '<PERSON> <EMAIL_ADDRESS>\n'],
    ['the whole text', 'Ada', '<PERSON>'],
    [
      'beside what looks like a replacement',
      '<PERSON>Ada<PERSON> <URL>\n',
      '<PERSON><PERSON><PERSON> <URL>\n',
    ],
  ])('is replaced by the anonymizer: %s', async (_, text, expected) => {
    expect(await masked(text)).toBe(expected)
  })

  it('is looked for once in a text that is full of what stands for it, not once for each finding', async () => {
    const y = { name: 'Y', regex: undefined, denyList: ['x'], score: 1 }
    const { stream } = masker({ entities: [], custom: [y] })
    const searches = vi.spyOn(RegExp.prototype, 'exec')
    own({ [Symbol.dispose]: () => searches.mockRestore() })
    expect(String(await through(stream, 'x<Y>'.repeat(1000)))).toBe('<Y><Y>'.repeat(1000))
    expect(searches.mock.calls.length).toBeLessThan(20_000)
  })

  it('is replaced here when there is no anonymizer; of findings that overlap the surest stays whole', async () => {
    const { stream } = masker({}, { anonymizer: false })
    expect(String(await through(stream, 'https://ada@example.com/x Ada Grace\n'))).toBe(
      '<URL><EMAIL_ADDRESS><URL> <PERSON> <PERSON>\n',
    )
    expect(presidio.anonymizer.received).toEqual([])
  })

  it.each([true, false])('leaves bytes that are no text as they are (anonymizer: %s)', async (anonymizer) => {
    const { stream } = masker({}, { anonymizer })
    const bytes = Buffer.concat([Buffer.of(0xff, 0xc3, 0x28), Buffer.from('é Ada '), Buffer.of(0xe2, 0x82)])
    const expected = Buffer.concat([
      Buffer.of(0xff, 0xc3, 0x28),
      Buffer.from('é <PERSON> '),
      Buffer.of(0xe2, 0x82),
    ])
    expect(await through(stream, bytes)).toEqual(expected)
  })

  it('is whole in a line longer than a piece, wherever the piece ends', async () => {
    const name = 'ada.of.a.long.name@example.com'
    for (const before of [64 * 1024 - 1034, 64 * 1024 - 1010, 64 * 1024 - 15, 64 * 1024]) {
      const text = `${'x '.repeat(before / 2)}${name} ${'y '.repeat(40_000)}`
      expect(await masked(text)).toBe(text.replace(name, '<EMAIL_ADDRESS>'))
    }
  })

  it.each([true, false])(
    'is masked up to the next blank where it is longer than a piece (anonymizer: %s)',
    async (anonymizer) => {
      const text = `see https://a.example/${'x/'.repeat(100_000)} and Ada\n`
      const { stream } = masker({}, { anonymizer })
      expect(String(await through(stream, text))).toMatch(/^see (?:<URL>)+ and <PERSON>\n$/)
    },
  )

  it('takes a long line on by half a piece at least, whatever lies across its end', async () => {
    // The findings overlap each other, one by one, from the beginning of the piece to its end.
    presidio.analyzer.on('POST /analyze', (received, response) => {
      const { text } = received.body as { text: string }
      const starts = Array.from({ length: Math.floor(text.length / 512) }, (_, n) => n * 512)
      const found = starts.map((start) => ({
        entity_type: 'PERSON',
        start,
        end: Math.min(text.length, start + 700),
        score: 0.9,
      }))
      json(200, found)(received, response)
    })
    const { stream } = masker({}, { anonymizer: false })
    const shown = String(await through(stream, `${'x/'.repeat(150_000)}\n`))
    expect(shown).toMatch(/^(?:<PERSON>)+\n?$/)
    expect(presidio.analyzer.received.length).toBeLessThan(10)
  })

  it('fails in the middle of a long line: it passes as it is, and nothing of it twice', async () => {
    presidio.anonymizer.on('POST /anonymize', json(500, {}))
    const text = `${'Ada '.repeat(40_000)}\n`
    expect(await masked(text)).toBe(text)
  })

  it('is the same in a long line for every way to cut it into chunks', async () => {
    const text = Buffer.from(
      `${'Ada, ada@example.com or grace '.repeat(6000)}https://a/${'y/'.repeat(45_000)} z\n`,
    )
    const whole = await through(masker().stream, text)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 6 }), async (sizes) => {
        let at = 0
        const chunks = [...sizes.map((size) => text.subarray(at, (at += size))), text.subarray(at)]
        expect((await through(masker().stream, ...chunks)).equals(whole)).toBe(true)
      }),
      { numRuns: 5 },
    )
  })

  it('is told as bytes and counts of each type, once', async () => {
    const { stream, result, told } = masker()
    await stream.push(Buffer.from('Ada and ada@example.com\nGrace\n'))
    expect(result.take()).toEqual({
      bytes: 'Ada'.length + 'ada@example.com'.length + 'Grace'.length,
      counts: new Map([
        ['EMAIL_ADDRESS', 1],
        ['PERSON', 2],
      ]),
      errors: [],
    })
    expect([result.take(), told]).toEqual([undefined, []])
  })

  it('is the same for every way to cut the output into chunks', async () => {
    const word = fc.constantFrom('Ada', 'ada@example.com', '😀', 'é', 'plain', '\n', ' ', 'https://a.b/c')
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { maxLength: 30 }),
        fc.array(fc.nat(200), { maxLength: 4 }),
        async (words, cuts) => {
          const text = Buffer.from(words.join(' '))
          const places = [
            0,
            ...cuts.map((cut) => Math.min(cut, text.length)).toSorted((a, b) => a - b),
            text.length,
          ]
          const chunks = places.slice(1).map((end, i) => text.subarray(places[i], end))
          const { stream } = masker()
          expect(await through(stream, ...chunks)).toEqual(await through(masker().stream, text))
        },
      ),
      { numRuns: 30 },
    )
  })
})
