import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Redaction, type Redactor } from '../../../src/policy/redaction/redactor.ts'

const MARKER = '[REDACTED]'
const MIB = 1024 ** 2

/** For every byte, whether it is inside an occurrence that ends at `end` at the latest. */
function coveredIn(stream: string, texts: readonly string[], end = stream.length): boolean[] {
  const covered = new Array<boolean>(stream.length).fill(false)
  for (const text of texts)
    for (let at = stream.indexOf(text); at >= 0 && at + text.length <= end; at = stream.indexOf(text, at + 1))
      covered.fill(true, at, at + text.length)
  return covered
}

function replaced(stream: string, covered: readonly boolean[]): string {
  return Array.from(stream, (byte, at) => {
    if (covered[at] !== true) return byte
    return covered[at - 1] === true ? '' : MARKER
  }).join('')
}

/** Length of the longest suffix that is the beginning, and not all, of a text. */
function pendingIn(stream: string, texts: readonly string[]): number {
  const begins = (length: number) => texts.some((text) => isBeginning(stream.slice(-length), text))
  for (let length = stream.length; length > 0; length--) if (begins(length)) return length
  return 0
}

function isBeginning(part: string, text: string): boolean {
  return text.length > part.length && text.startsWith(part)
}

/** Pushed as a copy that is overwritten afterwards: what is held must not live in it. */
function push(redactor: Redactor, data: string): string {
  const copy = Buffer.from(data)
  const passed = String(redactor.push(copy))
  copy.fill('!')
  return passed
}

function redact(texts: readonly string[], chunks: readonly string[]): string {
  const redactor = new Redaction(texts.map((text) => Buffer.from(text))).stream()
  const passed = chunks.map((chunk) => push(redactor, chunk)).join('')
  return passed + String(redactor.release())
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
      .chain((texts) => fc.record({ texts: fc.constant(texts), stream: streamOf(texts) })),
  )
const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

function streamOf(texts: readonly string[]): fc.Arbitrary<string> {
  const text = fc.constantFrom(...texts)
  const part = fc.tuple(text, fc.nat(6), fc.nat(20)).map(([whole, from, to]) => whole.slice(from, to))
  return fc.array(fc.oneof(text, part, word(0, 6)), { maxLength: 12 }).map((parts) => parts.join(''))
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
        const expected = replaced(stream, coveredIn(stream, texts))
        expect(redact(texts, chunksOf(stream, sizes))).toBe(expected)
      }),
      { numRuns: 10_000 },
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
          const held = pendingIn(pushed, texts)
          expect(redactor.held).toBe(held)
          const covered = coveredIn(pushed, texts).slice(0, pushed.length - held)
          expect(passed).toBe(replaced(pushed.slice(0, pushed.length - held), covered))
        }
      }),
      { numRuns: 10_000 },
    )
  })

  it('counts the bytes that were replaced', () => {
    fc.assert(
      fc.property(setting, lengths, ({ texts, stream }, sizes) => {
        const redactor = new Redaction(texts.map((text) => Buffer.from(text))).stream()
        for (const chunk of chunksOf(stream, sizes)) redactor.push(Buffer.from(chunk))
        redactor.release()
        expect(redactor.redacted).toBe(coveredIn(stream, texts).filter(Boolean).length)
      }),
      { numRuns: 1000 },
    )
  })

  it('may hold any bytes', () => {
    const text = Buffer.from([0xff, 0, 0x80, 0xfe, 0, 1, 0xc3, 0x28])
    const redactor = new Redaction([text]).stream()
    const passed = redactor.push(Buffer.concat([Buffer.from([0, 0xff]), text, Buffer.from([0xff])]))
    expect(passed.equals(Buffer.concat([Buffer.from([0, 0xff]), Buffer.from(MARKER)]))).toBe(true)
    expect(redactor.release()).toEqual(Buffer.from([0xff]))
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
    const redactor = new Redaction([Buffer.from('secret'), Buffer.from('my secret is this')]).stream()
    expect(push(redactor, 'my secret')).toBe('')
    expect(String(redactor.release())).toBe(`my ${MARKER}`)
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
   * A byte is shown when no occurrence covers it; or when it was held at a release and no occurrence that was
   * complete by then covers it. All others are replaced, a run of them by one marker.
   */
  it('is all that may be seen of a text, whatever the chunks and releases', () => {
    const releases = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(setting, lengths, releases, ({ texts, stream }, sizes, pattern) => {
        const redactor = new Redaction(texts.map((text) => Buffer.from(text))).stream()
        const covered = coveredIn(stream, texts)
        let [pushed, passed, released] = [0, '', 0]
        for (const [index, chunk] of chunksOf(stream, sizes).entries()) {
          passed += push(redactor, chunk)
          pushed += chunk.length
          if (pattern[index % pattern.length] !== true) continue
          const held = Math.min(pendingIn(stream.slice(0, pushed), texts), pushed - released)
          expect(redactor.held).toBe(held)
          const complete = coveredIn(stream, texts, pushed).slice(pushed - held, pushed)
          covered.splice(pushed - held, held, ...complete)
          passed += String(redactor.release())
          expect(redactor.held).toBe(0)
          released = pushed
        }
        passed += String(redactor.release())
        const shown = covered.filter((isCovered) => !isCovered).length
        expect(passed).toBe(replaced(stream, covered))
        expect(redactor.redacted + shown).toBe(stream.length)
      }),
      { numRuns: 10_000 },
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
    redactor.release()
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
    redactor.release()
    expect(redactor.redacted).toBe(2 * MIB)
  })

  it('thousands of complete texts wait inside a larger one that may still come', () => {
    const inner = 'abcdef.'.repeat(100_000)
    const redactor = new Redaction([Buffer.from('abcdef'), Buffer.from(`${inner}end`)]).stream()
    for (const part of chunksOf(inner, [1000])) expect(redactor.push(Buffer.from(part))).toHaveLength(0)
    expect(String(redactor.push(Buffer.from('!')))).toBe(`${MARKER}.`.repeat(100_000) + '!')
  })
})
