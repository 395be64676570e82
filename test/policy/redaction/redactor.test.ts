import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Redaction, type Redactor } from '../../../src/policy/redaction/redactor.ts'
import { secretTexts, variantsOf } from '../../../src/policy/redaction/secrets.ts'

const MARKER = '[REDACTED]'
const MIB = 1024 ** 2

/**
 * How many characters of the text stand from `start` on, and where the last one ends: as they are, or with a line break
 * of one or two bytes between any two.
 */
function follow(
  stream: string,
  text: string,
  start: number,
  wrapped: boolean,
): { length: number; end: number } {
  let [length, end] = [0, start]
  while (length < text.length) {
    const at = wrapped && length > 0 ? behindBreak(stream, end) : end
    if (stream[at] !== text[length]) break
    length += 1
    end = at + 1
  }
  return { length, end }
}

function behindBreak(stream: string, end: number): number {
  return end + (/^[\r\n]{0,2}/.exec(stream.slice(end, end + 2))?.[0].length ?? 0)
}

/** For every byte, whether it is inside an occurrence that ends at `end` at the latest. */
function coveredIn(stream: string, texts: readonly string[], end = stream.length): boolean[] {
  const covered = new Array<boolean>(stream.length).fill(false)
  for (const text of texts)
    for (let at = 0; at < end; at++)
      for (const wrapped of [false, true]) {
        const found = follow(stream, text, at, wrapped)
        if (found.length === text.length && found.end <= end) covered.fill(true, at, found.end)
      }
  return covered
}

function replaced(stream: string, covered: readonly boolean[]): string {
  return Array.from(stream, (byte, at) => {
    if (covered[at] !== true) return byte
    return covered[at - 1] === true ? '' : MARKER
  }).join('')
}

/** The longest end of the stream that is the beginning, and not all, of a text: its bytes, and how much of the text it is. */
function pendingIn(stream: string, texts: readonly string[]): { bytes: number; length: number } {
  let [start, most] = [stream.length, 0]
  for (const text of texts)
    for (let at = 0; at < stream.length; at++)
      for (const wrapped of [false, true]) {
        const { length, end } = follow(stream, text, at, wrapped)
        const isAtEnd = (wrapped ? behindBreak(stream, end) : end) === stream.length
        if (length === 0 || length === text.length || !isAtEnd) continue
        start = Math.min(start, at)
        most = Math.max(most, length)
      }
  return { bytes: stream.length - start, length: most }
}

/** What is replaced in the end: occurrences, and 8 characters or more of a text, 24 in a line of their own, at the end of the stream. */
function coveredAtEnd(stream: string, texts: readonly string[]): boolean[] {
  const covered = coveredIn(stream, texts)
  const { bytes, length } = pendingIn(stream, texts)
  return length < (/[\r\n]$/.test(stream) ? 24 : 8) ? covered : covered.fill(true, stream.length - bytes)
}

/** Pushed as a copy that is overwritten afterwards: what is held must not live in it. */
function push(redactor: Redactor, data: string | Buffer): string {
  const copy = Buffer.from(data)
  const passed = redactor.push(copy).toString('latin1')
  copy.fill('!')
  return passed
}

function redact(texts: readonly string[], chunks: readonly string[]): string {
  const redactor = new Redaction(texts.map((text) => Buffer.from(text))).stream()
  const passed = chunks.map((chunk) => push(redactor, chunk)).join('')
  return passed + String(redactor.end())
}

function chunksOf(stream: string, lengths: readonly number[]): string[] {
  const chunks: string[] = []
  for (let at = 0; at < stream.length;) {
    const length = lengths[chunks.length % lengths.length] ?? 1
    chunks.push(stream.slice(at, at + length))
    at += length
  }
  return chunks
}

/** Few letters, and streams made of parts of the texts, so that occurrences are many, overlap and nearly match. */
const word = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength, maxLength })
const setting = fc
  .constantFrom(1, 4, 6)
  .chain((shortest) =>
    fc
      .array(word(shortest, shortest + 10), { minLength: 1, maxLength: 6 })
      .chain((texts) => fc.record({ texts: fc.constant(texts), stream: folded(streamOf(texts)) })),
  )
const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

function streamOf(texts: readonly string[]): fc.Arbitrary<string> {
  const text = fc.constantFrom(...texts)
  const part = fc.tuple(text, fc.nat(6), fc.nat(20)).map(([whole, from, to]) => whole.slice(from, to))
  return fc.array(fc.oneof(text, part, word(0, 6)), { maxLength: 12 }).map((parts) => parts.join(''))
}

/** Wrapped at some columns, or not. */
function folded(stream: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const columns = fc.constantFrom(8, 9, 13, 1000)
  return fc
    .tuple(stream, columns, fc.nat(8), fc.constantFrom('\n', '\r\n'))
    .map(([text, width, first, lineBreak]) => fold(text, width, first, lineBreak))
}

function fold(text: string, width: number, first: number, lineBreak: string): string {
  const lines = [text.slice(0, first)]
  for (let at = first; at < text.length; at += width) lines.push(text.slice(at, at + width))
  return lines.join(lineBreak)
}

describe('a redacted stream', () => {
  it.each([
    ['one text', ['secret'], 'my secret is out', 'my [REDACTED] is out'],
    ['a text over and over', ['secret'], 'secretsecretsecret', '[REDACTED]'],
    ['a text with a gap', ['secret'], 'secret secret', '[REDACTED] [REDACTED]'],
    ['overlapping texts', ['abcdef', 'defghi'], 'xabcdefghix', 'x[REDACTED]x'],
    ['a text that overlaps itself', ['ababab'], 'xabababababax', 'x[REDACTED]ax'],
    ['a text inside another', ['abcdefgh', 'cdef'], 'abcdefgh abcdef', '[REDACTED] ab[REDACTED]'],
    ['a text that begins another', ['abcd', 'abcdefgh'], 'abcdefg', '[REDACTED]efg'],
    ['texts next to each other', ['abcd', 'efgh'], 'abcdefgh', '[REDACTED]'],
    ['a text that joins two others', ['aaaa', 'cccc', 'abbbbc'], 'aaaabbbbcccc', '[REDACTED]'],
  ])('has no text in it: %s', (_, texts, stream, expected) => {
    expect(redact(texts, [stream])).toBe(expected)
    expect(redact(texts, chunksOf(stream, [1]))).toBe(expected)
  })

  it('is the whole stream with every run of covered bytes replaced, whatever the chunks', () => {
    fc.assert(
      fc.property(setting, lengths, ({ texts, stream }, sizes) => {
        const expected = replaced(stream, coveredAtEnd(stream, texts))
        expect(redact(texts, chunksOf(stream, sizes))).toBe(expected)
      }),
      { numRuns: 1000 },
    )
  })

  it('comes as early as it can: held is what may become a text, and nothing else', () => {
    fc.assert(
      fc.property(setting, lengths, ({ texts, stream }, sizes) => {
        const redactor = new Redaction(texts.map((text) => Buffer.from(text))).stream()
        let [pushed, passed] = ['', '']
        for (const chunk of chunksOf(stream, sizes)) {
          pushed += chunk
          passed += push(redactor, chunk)
          const { bytes: held } = pendingIn(pushed, texts)
          expect(redactor.held).toBe(held)
          const covered = coveredIn(pushed, texts).slice(0, pushed.length - held)
          expect(passed).toBe(replaced(pushed.slice(0, pushed.length - held), covered))
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('counts the bytes that were replaced', () => {
    fc.assert(
      fc.property(setting, lengths, ({ texts, stream }, sizes) => {
        const redactor = new Redaction(texts.map((text) => Buffer.from(text))).stream()
        for (const chunk of chunksOf(stream, sizes)) redactor.push(Buffer.from(chunk))
        redactor.end()
        expect(redactor.redacted).toBe(coveredAtEnd(stream, texts).filter(Boolean).length)
      }),
      { numRuns: 400 },
    )
  })

  it('may hold any bytes', () => {
    const text = Buffer.from([0xff, 0, 0x80, 0xfe, 0, 1, 0xc3, 0x28])
    const redactor = new Redaction([text]).stream()
    const passed = redactor.push(Buffer.concat([Buffer.from([0, 0xff]), text, Buffer.from([0xff])]))
    expect(passed.equals(Buffer.concat([Buffer.from([0, 0xff]), Buffer.from(MARKER)]))).toBe(true)
    expect(redactor.end()).toEqual(Buffer.from([0xff]))
  })

  it('has no text in it at any place around the border of large chunks', () => {
    const text = 'correct horse battery staple'
    for (let before = 65_536 - text.length - 1; before <= 65_536 + 1; before++) {
      const stream = `${'.'.repeat(before)}${text}${'.'.repeat(70_000)}`
      expect(redact([text], chunksOf(stream, [65_536]))).toBe(stream.replace(text, MARKER))
    }
  })

  it('is the data itself when there is nothing to look for', () => {
    const redaction = new Redaction([Buffer.alloc(0)])
    const data = Buffer.from('anything')
    expect(redaction.empty).toBe(true)
    const redactor = redaction.stream()
    expect(redactor.push(data)).toBe(data)
    expect([redactor.held, redactor.release().length, redactor.redacted]).toEqual([0, 0, 0])
  })
})

describe('what is released', () => {
  it('goes out as it is and still counts: the rest of the text is replaced', () => {
    const redactor = new Redaction([Buffer.from('secret')]).stream()
    expect(push(redactor, 'my sec')).toBe('my ')
    expect(redactor.held).toBe(3)
    expect(String(redactor.release())).toBe('sec')
    expect(redactor.held).toBe(0)
    expect(push(redactor, 're')).toBe('')
    expect(redactor.held).toBe(2)
    expect(push(redactor, 't!')).toBe(`${MARKER}!`)
    expect(redactor.redacted).toBe(3)
  })

  it('is replaced where it is inside a complete text, and has one marker with what follows', () => {
    const redactor = new Redaction([Buffer.from('secret'), Buffer.from('asecret is this')]).stream()
    expect(push(redactor, 'asecret')).toBe('')
    expect(String(redactor.release())).toBe(`a${MARKER}`)
    expect(push(redactor, ' is this.')).toBe('.')
    expect(redactor.redacted).toBe(14)
  })

  it('is nothing twice', () => {
    const redactor = new Redaction([Buffer.from('secret')]).stream()
    push(redactor, 'secre')
    redactor.release()
    expect(redactor.release()).toHaveLength(0)
  })

  /**
   * A byte is shown when no occurrence covers it; or when it was held at a release, with less than 8 characters of a
   * text, and no occurrence that was complete by then covers it. All others are replaced, a run of them by one marker.
   */
  it('is all that may be seen of a text, whatever the chunks and releases', () => {
    const releases = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(setting, lengths, releases, ({ texts, stream }, sizes, pattern) => {
        const redactor = new Redaction(texts.map((text) => Buffer.from(text))).stream()
        const covered = coveredAtEnd(stream, texts)
        let [pushed, passed, released] = [0, '', 0]
        for (const [index, chunk] of chunksOf(stream, sizes).entries()) {
          passed += push(redactor, chunk)
          pushed += chunk.length
          if (pattern[index % pattern.length] !== true) continue
          const { bytes, length } = pendingIn(stream.slice(0, pushed), texts)
          const held = Math.min(bytes, pushed - released)
          expect([redactor.held, redactor.isReleasable]).toEqual([held, held > 0 && length < 8])
          if (length >= 8) {
            expect(redactor.release()).toHaveLength(0)
            continue
          }
          const complete = coveredIn(stream, texts, pushed).slice(pushed - held, pushed)
          covered.splice(pushed - held, held, ...complete)
          passed += String(redactor.release())
          expect(redactor.held).toBe(0)
          released = pushed
        }
        passed += String(redactor.end())
        const shown = covered.filter((isCovered) => !isCovered).length
        expect(passed).toBe(replaced(stream, covered))
        expect(redactor.redacted + shown).toBe(stream.length)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the memory of the output', () => {
  it('is that of the input where nothing is replaced and nothing was held', () => {
    const data = Buffer.from('nothing to see here, but a sec')
    const passed = new Redaction([Buffer.from('secret')]).stream().push(data)
    expect(passed).toHaveLength(data.length - 3)
    expect([passed.buffer, passed.byteOffset]).toEqual([data.buffer, data.byteOffset])
  })

  it('is never that of the texts or of the marker', () => {
    const redaction = new Redaction([Buffer.from('secret')])
    const first = redaction.stream()
    first.push(Buffer.from('secretsec')).fill('!')
    first.release().fill('!')
    const second = redaction.stream()
    expect(push(second, 'secret secr')).toBe(`${MARKER} `)
    expect(String(second.release())).toBe('secr')
  })

  it('is not shared by the streams of a session', () => {
    const redaction = new Redaction([Buffer.from('secret')])
    const [stdout, stderr] = [redaction.stream(), redaction.stream()]
    push(stdout, 'sec')
    expect(push(stderr, 'ret')).toBe('ret')
    expect(push(stdout, 'ret')).toBe(MARKER)
    expect([stdout.redacted, stderr.redacted]).toEqual([6, 0])
  })
})

const ALPHANUMERIC = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789')

describe('a secret that is printed as a whole', () => {
  const secrets = fc.array(
    fc.oneof(
      fc.string({ unit: fc.constantFrom(...ALPHANUMERIC), minLength: 8, maxLength: 90 }),
      fc.string({ unit: fc.constantFrom(...Array.from('a/+é"\\ $-')), minLength: 8, maxLength: 40 }),
      fc.nat(20).map((n) => `${'a'.repeat(8 + n)}b`),
    ),
    { minLength: 1, maxLength: 3 },
  )
  const forms = fc.constantFrom<(secret: string, before: string) => string>(
    (secret) => secret,
    (secret, before) => Buffer.from(`${before}${secret}~~~`).toString('base64'),
    (secret, before) => Buffer.from(`${before}${secret}~~~`).toString('base64url'),
    (secret) => encodeURIComponent(secret),
    (secret) => String(new URLSearchParams([['', secret]])).slice(1),
    (secret) => JSON.stringify(secret).slice(1, -1),
  )
  const printed = fc.record({
    form: forms,
    before: fc.constantFrom('', '~', '~~', '~'.repeat(50)),
    columns: fc.constantFrom(8, 20, 64, 76, 10_000),
    lineBreak: fc.constantFrom('\n', '\r\n'),
  })
  const prints = fc.array(fc.tuple(fc.nat(2), printed), { minLength: 1, maxLength: 5 })
  const releases = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 })

  it('never shows 8 of its characters in a row, whatever the form, wrapping, pieces and pauses', () => {
    fc.assert(
      fc.property(secrets, prints, lengths, releases, (values, shown, sizes, pattern) => {
        const texts = values.flatMap((value) => variantsOf(Buffer.from(value)))
        const redactor = new Redaction(texts).stream()
        const stream = shown.map(([index, print]) => wrapped(values[index % values.length] ?? '', print))
        let passed = ''
        for (const [index, chunk] of chunksOf(stream.join(' ~ '), sizes).entries()) {
          passed += push(redactor, Buffer.from(chunk, 'latin1'))
          if (pattern[index % pattern.length] === true) passed += redactor.release().toString('latin1')
        }
        passed += redactor.end().toString('latin1')
        expect(pieceIn(passed, texts)).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })

  function wrapped(
    secret: string,
    { form, before, columns, lineBreak }: ReturnType<typeof printed.generate>['value'],
  ) {
    return fold(Buffer.from(form(secret, before)).toString('latin1'), columns, columns, lineBreak)
  }

  /** 8 characters of a text, in the output as it is or without its line breaks. */
  function pieceIn(output: string, texts: readonly Buffer[]): string | undefined {
    const outputs = [output, output.replaceAll(/[\r\n]/g, '')]
    const pieces = texts.flatMap((text) =>
      Array.from({ length: Math.max(0, text.length - 7) }, (_, at) => text.toString('latin1', at, at + 8)),
    )
    return pieces.find((piece) => outputs.some((one) => one.includes(piece)))
  }

  it.each([1, 7, 8, 9, 25])('is held from its 8th character on, when %i came first', (first) => {
    const secret = 'hunter2-hunter2-hunter2-ab'
    const redactor = new Redaction([Buffer.from(secret)]).stream()
    const shown = [push(redactor, secret.slice(0, first)), String(redactor.release())].join('')
    expect(shown).toBe(first < 8 ? secret.slice(0, first) : '')
    for (const character of secret.slice(first)) {
      expect(push(redactor, character) + String(redactor.release())).toMatch(/^(.{0,6}|\[REDACTED\])$/)
    }
    expect(redactor.redacted).toBeGreaterThanOrEqual(secret.length - 7)
    expect(push(redactor, '!')).toBe('!')
  })

  it.each([
    ['nothing comes behind its beginning', 'it is hunter2-h', 'it is [REDACTED]'],
    ['fewer than 8 of its characters came', 'it is hunter2', 'it is hunter2'],
    ['something else comes behind its beginning', 'it is hunter2-h, or not', 'it is hunter2-h, or not'],
    ['it is a line of its own', 'hunter2-\n', 'hunter2-\n'],
    ['a long part of it is a line of its own', 'hunter2-hunter2-hunter2-\n', '[REDACTED]'],
  ])('is looked for to the end: %s', (_, stream, expected) => {
    expect(redact(['hunter2-hunter2-hunter2-hunter2'], [stream])).toBe(expected)
  })

  it('is found over blank lines no more, which bounds what is held', () => {
    const redactor = new Redaction([Buffer.from('hunter2-hunter2')]).stream()
    expect(push(redactor, 'hunter2-\r\n')).toBe('')
    expect(redactor.held).toBe(10)
    expect(push(redactor, '\n')).toBe('hunter2-\r\n\n')
  })

  it('is one marker when it is of several lines, with whatever line breaks it comes', () => {
    const pem = `-----BEGIN KEY-----\n${'abcdefghijklmnop\n'.repeat(5)}-----END KEY-----`
    const texts = secretTexts(Buffer.from(pem)).flatMap(variantsOf)
    for (const stream of [pem, pem.replaceAll('\n', '\r\n'), pem.replaceAll('\n', '')]) {
      const redactor = new Redaction(texts).stream()
      expect(push(redactor, `${stream}\nok`) + String(redactor.end())).toBe(`${MARKER}\nok`)
    }
  })
})

/** Each of them takes hours when a byte costs a look at the whole text, or at all texts. */
describe('the worst cases', () => {
  const chunk = Buffer.alloc(65_536, 'a')

  function pushAll(texts: readonly Buffer[], chunks: number): Redactor {
    const redactor = new Redaction(texts).stream()
    for (let n = 0; n < chunks; n++) redactor.push(chunk)
    return redactor
  }

  it('a large text of one letter is found in that letter', () => {
    const redactor = pushAll([Buffer.alloc(MIB, 'a')], 64)
    expect(redactor.held).toBe(MIB - 1)
    redactor.end()
    expect(redactor.redacted).toBe(4 * MIB)
  })

  it('a large text that never ends as it should is not', () => {
    const redactor = pushAll([Buffer.concat([Buffer.alloc(MIB, 'a'), Buffer.from('b')])], 64)
    expect([redactor.held, redactor.redacted]).toEqual([MIB, 0])
  })

  it('ten thousand texts that begin alike end differently', () => {
    const texts = Array.from({ length: 10_000 }, (_, n) => Buffer.from(`${'a'.repeat(n + 6)}b`))
    const redactor = pushAll(texts, 64)
    expect(redactor.held).toBe(10_005)
    expect(String(redactor.push(Buffer.from('b')))).toMatch(/^\[REDACTED\]$/)
    expect(redactor.redacted).toBe(10_006)
  })

  it('a large text comes byte by byte', () => {
    const redactor = new Redaction([Buffer.alloc(MIB, 'a')]).stream()
    const byte = Buffer.from('a')
    for (let n = 0; n < 2 * MIB; n++) redactor.push(byte)
    expect(redactor.held).toBe(MIB - 1)
    redactor.end()
    expect(redactor.redacted).toBe(2 * MIB)
  })

  it('a large text comes in lines of one character', () => {
    const stream = Buffer.from('a\n'.repeat(256 * 1024))
    const redactor = new Redaction([Buffer.alloc(128 * 1024, 'a')]).stream()
    for (let at = 0; at < stream.length; at += 1000) redactor.push(stream.subarray(at, at + 1000))
    expect(redactor.held).toBe(2 * (128 * 1024 - 1))
    redactor.end()
    expect(redactor.redacted).toBe(stream.length)
  })

  it('thousands of complete texts wait inside a larger one that may still come', () => {
    const inner = 'abcdef.'.repeat(100_000)
    const redactor = new Redaction([Buffer.from('abcdef'), Buffer.from(`${inner}end`)]).stream()
    for (const part of chunksOf(inner, [1000])) expect(redactor.push(Buffer.from(part))).toHaveLength(0)
    expect(String(redactor.push(Buffer.from('!')))).toBe(`${MARKER}.`.repeat(100_000) + '!')
  })
})
