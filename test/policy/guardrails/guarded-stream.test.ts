import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { compileRules } from '../../../src/policy/guardrails/compile-rules.ts'
import { GuardedStream, GuardrailViolation } from '../../../src/policy/guardrails/guarded-stream.ts'
import type { Rule, Verdict } from '../../../src/policy/guardrails/rules.ts'

const pattern = (text: string): Rule => ({ type: 'pattern_match', words: [], pattern: text, message: '' })
const words = (...list: string[]): Rule => ({
  type: 'deny_words_list',
  words: list,
  pattern: '',
  message: '',
})

const ATOMS = [
  ...['a', 'b', 'k', 'é', '€', '.', '[ab]', '[^a]', '\\n', ' ', '\\x{fffd}', '\\pL', '\\w', '\\W', '\\s'],
  ...['^', '$', '\\b', '\\B', '\\A', '\\z', '(?m:^)', '(?m:$)', '(?s:.)', '(?i:k)', '(?i:é)', '(?i:s)', ''],
]
const PIECES = [
  ...['a', 'b', 'k', 'K', '\u212a', 's', 'ſ', 'é', 'É', '€', '\n', ' ', '\ufffd'].map((text) =>
    Buffer.from(text),
  ),
  ...[[0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x90], [0xed, 0xa0, 0x80], [0x82], [0xf4, 0x90]].map((bytes) =>
    Buffer.from(bytes),
  ),
]

const patterns = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...ATOMS),
    fc.tuple(tie('pattern'), tie('pattern')).map(([left, right]) => left + right),
    fc.tuple(tie('pattern'), tie('pattern')).map(([left, right]) => `(${left}|${right})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '*?'))
      .map(([inner, suffix]) => `(?:${inner})${suffix}`),
  ),
})).pattern
const rules = fc.array(
  fc.oneof(
    patterns.map(pattern),
    fc.array(fc.stringMatching(/^[abké€\ufffd\n ]{0,4}$/u), { maxLength: 3 }).map((list) => words(...list)),
  ),
  { minLength: 1, maxLength: 5 },
)
const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((pieces) => Buffer.concat(pieces))

/** As the reference judges. */
function matchedBy(rule: Rule, text: Buffer): readonly string[] {
  if (rule.type === 'deny_words_list') return rule.words.filter((word) => word !== '' && text.includes(word))
  return rule.pattern !== '' && RE2JS.compile(rule.pattern).test(text) ? [rule.pattern] : []
}

function expectedVerdict(list: readonly Rule[], text: Buffer): Verdict {
  for (const [rule, hit] of list.entries()) {
    const matched = matchedBy(hit, text)
    if (matched.length > 0) return { outcome: 'violation', set: 0, rule, hit, matched: [...new Set(matched)] }
  }
  return { outcome: 'pass' }
}

/** Where the first match of a rule begins; behind the text when there is none. */
function beginOf(rule: Rule, text: Buffer): number {
  if (rule.type === 'deny_words_list')
    return Math.min(
      text.length,
      ...rule.words.filter((word) => word !== '' && text.includes(word)).map((word) => text.indexOf(word)),
    )
  const matcher = RE2JS.compile(rule.pattern).matcher(text)
  return rule.pattern !== '' && matcher.find() ? matcher.start() : text.length
}

interface Passed {
  readonly shown: Buffer
  readonly violation: GuardrailViolation | undefined
}

async function passed(
  list: readonly Rule[],
  pieces: readonly Buffer[],
  isInteractive = false,
): Promise<Passed> {
  const stream = new GuardedStream(await compileRules([{ rules: list }]), { isInteractive })
  const shown: Buffer[] = []
  try {
    for (const piece of pieces) {
      shown.push(Buffer.from(await stream.push(piece)))
      if (isInteractive) shown.push(stream.release())
    }
    shown.push(stream.end())
    return { shown: Buffer.concat(shown), violation: undefined }
  } catch (error) {
    if (!(error instanceof GuardrailViolation)) throw error
    return { shown: Buffer.concat(shown), violation: error }
  }
}

function cut(text: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...cuts.map((place) => place % (text.length + 1)), 0, text.length].sort((a, b) => a - b)
  return places.slice(1).map((place, index) => text.subarray(places[index], place))
}

describe('the automaton judges as RE2 and a search for words do', () => {
  it('for any rules and texts, broken UTF-8 included', async () => {
    await fc.assert(
      fc.asyncProperty(rules, texts, async (list, text) => {
        const verdict = await (await compileRules([{ rules: list }])).check(text)
        const expected = expectedVerdict(list, text)
        if (verdict.outcome === 'violation')
          expect({ ...verdict, matched: [...new Set(verdict.matched)] }).toEqual(expected)
        else expect(verdict).toEqual(expected)
      }),
      { numRuns: 400 },
    )
  })

  it('for a stream wherever it is cut, with the same rule each time, and nothing of a match is shown', async () => {
    await fc.assert(
      fc.asyncProperty(rules, texts, fc.array(fc.nat(200), { maxLength: 8 }), async (list, text, cuts) => {
        const isBroken = expectedVerdict(list, text).outcome === 'violation'
        const whole = await passed(list, [text])
        const pieces = await passed(list, cut(text, cuts))
        expect(pieces.violation !== undefined).toBe(isBroken)
        expect(pieces.violation?.verdict).toEqual(whole.violation?.verdict)
        if (!isBroken) expect(pieces.shown).toEqual(text)
        else expect(pieces.shown).toEqual(text.subarray(0, pieces.shown.length))
        const begin = Math.min(...list.map((rule) => beginOf(rule, text)))
        if (isBroken) expect(pieces.shown.length).toBeLessThanOrEqual(begin)
      }),
      { numRuns: 400 },
    )
  })

  it('for a stream that is shown as it comes, a match is found all the same', async () => {
    await fc.assert(
      fc.asyncProperty(rules, texts, fc.array(fc.nat(200), { maxLength: 8 }), async (list, text, cuts) => {
        const isBroken = expectedVerdict(list, text).outcome === 'violation'
        const { shown, violation } = await passed(list, cut(text, cuts), true)
        expect(violation !== undefined).toBe(isBroken)
        expect(shown).toEqual(isBroken ? text.subarray(0, shown.length) : text)
      }),
      { numRuns: 500 },
    )
  })
})

describe('what is held back', () => {
  const pieces = (...texts: string[]) => texts.map((text) => Buffer.from(text))
  async function streamOf(list: readonly Rule[], isInteractive = false) {
    return new GuardedStream(await compileRules([{ rules: list }]), { isInteractive })
  }

  it('is only what may be the beginning of a match', async () => {
    const stream = await streamOf([words('DROP TABLE'), pattern('\\bkey=\\d+;')])
    const shown = []
    for (const piece of pieces('a DRO', 'P a key', 'key key', '=1', ' and'))
      shown.push((await stream.push(piece)).toString())
    expect(shown).toEqual(['a ', 'DROP a ', 'keykey ', '', 'key=1 and'])
    expect(stream.held).toBe(0)
  })

  it('is given out at the end, and nothing is held without rules', async () => {
    const stream = await streamOf([words('DROP')])
    expect((await stream.push(Buffer.from('x DR'))).toString()).toBe('x ')
    expect(stream.held).toBe(2)
    expect(String(stream.end())).toBe('DR')
    expect(stream.held).toBe(0)
    const data = Buffer.from('anything')
    expect((await streamOf([])).push(data)).toBe(data)
  })

  it('is at most 64 KiB: the beginning of a longer match is shown, nothing behind it', async () => {
    const stream = await streamOf([pattern('(?s)BEGIN.*END')])
    const line = Buffer.from('x'.repeat(50_000))
    expect((await stream.push(Buffer.from('a BEGIN'))).toString()).toBe('a ')
    expect(await stream.push(line)).toHaveLength(0)
    expect((await stream.push(line)).toString()).toBe(`BEGIN${'x'.repeat(100_000 - 65_536)}`)
    expect(stream.held).toBe(65_536)
    expect(() => stream.push(Buffer.from('END and more'))).toThrow(GuardrailViolation)
  })

  it('may be released after a while only where people wait for it, and counts afterwards', async () => {
    const patient = await streamOf([pattern('Password: secret')])
    expect((await patient.push(Buffer.from('Password: '))).toString()).toBe('')
    expect(patient.isReleasable).toBe(false)
    expect(patient.release()).toHaveLength(0)
    const terminal = await streamOf([pattern('Password: secret')], true)
    expect((await terminal.push(Buffer.from('Password: '))).toString()).toBe('')
    expect(terminal.isReleasable).toBe(true)
    expect(String(terminal.release())).toBe('Password: ')
    expect(terminal.isReleasable).toBe(false)
    expect(() => terminal.push(Buffer.from('secret'))).toThrow(GuardrailViolation)
  })

  it('never comes out after a hit', async () => {
    const stream = await streamOf([words('DROP')])
    expect(() => stream.push(Buffer.from('one DROP two'))).toThrow('the output broke a guardrail rule')
    expect(() => stream.push(Buffer.from('three'))).toThrow(GuardrailViolation)
    expect(stream.isReleasable).toBe(false)
    expect(() => stream.end()).toThrow(GuardrailViolation)
  })
})

describe('characters of words', () => {
  const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))
  const hits = async (text: string, characters: readonly string[]) => {
    const compiled = await compileRules([{ rules: [pattern(text)] }])
    const judged: string[] = []
    for (const character of characters)
      if ((await compiled.check(Buffer.from(`1${character}`))).outcome === 'violation') judged.push(character)
    return judged.sort()
  }

  it.each(['1\\b', '(?m:1$)'])('and line ends are told apart from all others: %s', async (text) => {
    const expected = ascii.filter((character) => RE2JS.compile(text).test(`1${character}`)).sort()
    expect(await hits(text, ascii)).toEqual(expected)
    expect(await hits(text, ascii.toReversed())).toEqual(expected)
  })
})

describe('the rule that counts in a stream', () => {
  const verdict = async (list: readonly Rule[], text: string) =>
    (await passed(list, [Buffer.from(text)])).violation?.verdict

  it('is the one whose match is complete first, whatever the order', async () => {
    expect(await verdict([pattern('a.*z'), words('cd')], 'abcdz')).toMatchObject({ rule: 1, matched: ['cd'] })
  })

  it('is the first of those that are complete at the same byte, with all words of it', async () => {
    expect(await verdict([words('x'), words('d', 'y', 'cd'), pattern('d')], 'abcd')).toMatchObject({
      rule: 1,
      matched: ['d', 'cd'],
    })
  })

  it('names a word as often as the rule has it', async () => {
    expect(await verdict([words('DROP', 'x', 'DROP')], 'a DROP')).toMatchObject({ matched: ['DROP', 'DROP'] })
  })

  it('is none when a rule cannot be enforced: then nothing is shown at all', async () => {
    const { shown, violation } = await passed([words('a'), pattern('(?!x)')], [Buffer.from('b')])
    expect(shown).toHaveLength(0)
    expect(violation?.message).toBe('guardrail rule has a pattern the local engine cannot compile (RE2)')
    expect(violation?.verdict).toMatchObject({
      outcome: 'error',
      rule: 1,
      message: 'failed parsing regex, reason=error parsing regexp: invalid or unsupported Perl syntax: `(?!`',
    })
  })
})

/** The same each time. */
function randomLetters(length: number): Buffer {
  let state = 1
  const next = () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff)
  return Buffer.from(Array.from({ length }, () => 'abx'[(next() >>> 16) % 3]).join(''))
}

describe('a hostile pattern and text', () => {
  // Each place of the text is another state, so the memory for states is filled and emptied again and again.
  const hostile = pattern('(?s)[ab]*a.{300}c')
  const text = randomLetters(8192)

  it('leave turns to others, in a stream and in a text', async () => {
    let turns = 0
    let isOver = false
    const tick = () => {
      turns += 1
      if (!isOver) setImmediate(tick)
    }
    tick()
    const compiled = await compileRules([{ rules: [hostile] }])
    const before = turns
    const pushed = new GuardedStream(compiled, { isInteractive: false }).push(text)
    expect(pushed).toBeInstanceOf(Promise)
    await pushed
    const between = turns
    await (await compileRules([{ rules: [hostile] }])).check(text)
    isOver = true
    expect(between - before).toBeGreaterThan(20)
    expect(turns - between).toBeGreaterThan(20)
    isOver = false
    tick()
    const afterMatch = turns
    await (
      await compileRules([{ rules: [words('!'), hostile] }])
    ).check(Buffer.concat([Buffer.from('!'), text]))
    isOver = true
    expect(turns - afterMatch).toBeGreaterThan(20)
  })

  it('are judged rightly although states are forgotten', async () => {
    const end = Buffer.concat([text, Buffer.from('c')])
    expect((await passed([hostile], [text])).shown).toEqual(text)
    const isBroken = RE2JS.compile(hostile.pattern).test(end)
    expect((await passed([hostile], [end])).violation !== undefined).toBe(isBroken)
    expect(
      (await passed([hostile], [Buffer.concat([text, Buffer.from('b'.repeat(301))])])).violation,
    ).toBeUndefined()
  })

  it('show no part of a match although states are forgotten', async () => {
    const compiled = await compileRules([{ rules: [hostile] }])
    const shownOf = async (piece: Buffer) =>
      (await new GuardedStream(compiled, { isInteractive: false }).push(piece)).length
    const stream = new GuardedStream(compiled, { isInteractive: false })
    let forgotten = 0
    for (let at = 0; at < text.length && forgotten === 0; at++) {
      const kept = compiled.bytes
      await stream.push(text.subarray(at, at + 1))
      if (compiled.bytes < kept) forgotten = at
    }
    expect(forgotten).toBeGreaterThan(600)
    // The same states again, made anew and then known, in texts that are within a match from their first byte on.
    const within = text.subarray(text.indexOf('a', forgotten - 600), forgotten + 2)
    expect([await shownOf(within), await shownOf(within), await shownOf(within)]).toEqual([0, 0, 0])
    // And those before a match still count as such.
    expect([await shownOf(Buffer.from('xx')), await shownOf(Buffer.from('xx'))]).toEqual([2, 2])
  })

  it('are given up when nobody waits any more: of the output nothing more is shown, whatever follows', async () => {
    const compiled = await compileRules([{ rules: [hostile] }])
    const { signal: ended, abort } = abortable()
    const stream = new GuardedStream(compiled, { isInteractive: true, ended })
    const pushed = stream.push(Buffer.concat(Array.from({ length: 1000 }, () => text)))
    abort()
    expect(await pushed).toEqual(Buffer.alloc(0))
    expect([stream.push(text), stream.release(), stream.end(), stream.held]).toEqual([
      ...[Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(0)],
      0,
    ])
  })

  it('are given up in a text when nobody waits for the verdict', async () => {
    const compiled = await compileRules([{ rules: [hostile] }])
    const { signal: ended, abort } = abortable()
    const verdict = compiled.check(Buffer.concat(Array.from({ length: 1000 }, () => text)), ended)
    abort()
    await expect(verdict).rejects.toBe(ended.reason)
  })
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}

describe('rules that are too much', () => {
  it.each([
    [
      'a pattern longer than 4096 bytes',
      [pattern('a'.repeat(4097))],
      'the pattern is longer than 4096 bytes',
    ],
    [
      'large repetitions',
      [pattern('(abcdefghij){1000}{2}'), pattern('((abcdefghijklmnop){900}x){1,9}')],
      'the repetitions of the pattern make it too large',
    ],
    [
      'many Unicode classes',
      [pattern('(?i)[^' + '\\PL\\pN'.repeat(26) + ']')],
      'the pattern has more than 50 Unicode classes',
    ],
    [
      'wide ranges without case',
      [pattern('(?i)' + '[\\x{80}-\\x{10ffff}]'.repeat(5))],
      'the pattern ignores case in too many ranges beyond ASCII; write (?-i) before these ranges',
    ],
    [
      'long lists',
      [words('a'.repeat(200_000)), words('b'.repeat(60_000))],
      'the guardrail rules exceed the limits of this agent: 250000 characters of words, 100000 steps of patterns',
    ],
    [
      'many large patterns',
      Array.from({ length: 101 }, () => pattern('(?s).{1000}')),
      'the guardrail rules exceed the limits of this agent: 250000 characters of words, 100000 steps of patterns',
    ],
  ])('are an error: %s', async (_, list, text) => {
    const { broken } = await compileRules([{ rules: list }])
    expect(broken?.closing).toContain(text)
  })
})

it('compileRules takes in a list of 20,000 words in parts, between which others have their turns', async () => {
  const words = Array.from({ length: 20_000 }, (_, n) => `word-${n}`)
  let turns = 0
  let next = setImmediate(function tick() {
    turns += 1
    next = setImmediate(tick)
  })
  const rules = await compileRules([
    { rules: [{ type: 'deny_words_list', words, pattern: '', message: '' }] },
  ])
  clearImmediate(next)
  expect(turns).toBeGreaterThan(1)
  expect((await rules.check(Buffer.from('a word-19999'))).outcome).toBe('violation')
})
