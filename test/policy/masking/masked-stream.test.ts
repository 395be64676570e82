import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CustomType } from '../../../src/policy/masking/custom.ts'
import {
  findClearPlace,
  MaskedStream,
  MaskingTooLong,
  type Span,
} from '../../../src/policy/masking/masked-stream.ts'
import { Masking } from '../../../src/policy/masking/masking.ts'
import { EVERYTHING } from '../../../src/policy/masking/rules.ts'
import { subjectOf } from '../../../src/policy/masking/subject.ts'
import { done } from '../../../src/policy/work.ts'

const file = new URL('../../fixtures/vectors/masking.json', import.meta.url)
const inputs = (JSON.parse(readFileSync(file, 'utf8')) as { input: string }[]).map(({ input }) => input)

const every = new Masking(EVERYTHING)

describe('a masked stream', () => {
  it('masks as one text, whatever its chunks are', async () => {
    const text = fc.array(
      fc.oneof(fc.constantFrom(...inputs, '\n', ' ', '\t', '\r\n', 'email ', 'é', 'cep '), fc.string()),
    )
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.integer({ min: 1, max: 60 })), async (parts, sizes) => {
        const whole = Buffer.from(parts.join(''))
        expect(await masked(every, chunks(whole, sizes))).toBe(every.mask(whole).toString())
      }),
    )
  })
})

describe('a masked stream of custom types', () => {
  it('finds a text of a list at the beginning of what comes later', async () => {
    const lines = ['one\n', 'Acme pays\n', 'Acme']
    expect(
      await masked(
        custom({ denyList: ['acme'] }),
        lines.map((line) => Buffer.from(line)),
      ),
    ).toBe('one\n<C> pays\n<C>')
  })

  it('finds what a regex wants a blank or the beginning before, with that blank, also where it ends a line', async () => {
    const lines = ['one\n', 'B-1\n', 'B-2 B-3\n']
    const masking = custom({ regex: String.raw`(?:^|\s)B-\d` })
    expect(
      await masked(
        masking,
        lines.map((line) => Buffer.from(line)),
      ),
    ).toBe('one<C><C><C>\n')
  })

  it('masks over several lines as one text, whatever its chunks are', async () => {
    const custom = [
      { name: 'NOTE', regex: '(?s)<<.*?>>', denyList: [], score: 1 },
      { name: 'TOKEN', regex: '(?i)bearer\\s+[a-z]{4,}\\b', denyList: [], score: 1 },
      { name: 'LAST', regex: '\\s*END\\s*$', denyList: [], score: 1 },
      { name: 'FIRST', regex: '(?:^|\\W)B-\\d', denyList: [], score: 1 },
      { name: 'ADDRESS', regex: undefined, denyList: ['High Street\n12', 'Low Road'], score: 1 },
    ]
    const masking = new Masking({ ...EVERYTHING, entities: ['IP_ADDRESS'], custom })
    const words = ['<<', '>>', 'bearer', 'abcde', 'END', 'B-1', 'High Street', '12', 'low road', '10.1.2.3']
    const part = fc.constantFrom(...words, '\n', '\n', '\r\n', ' ', 'é', 'x')
    await fc.assert(
      fc.asyncProperty(fc.array(part), fc.array(fc.integer({ min: 1, max: 12 })), async (parts, sizes) => {
        const whole = Buffer.from(parts.join(''))
        expect(await masked(masking, chunks(whole, sizes))).toBe(masking.mask(whole).toString())
      }),
      { numRuns: 400 },
    )
  })

  it('gives the same where a match is longer than it can hold, whatever the chunks are', async () => {
    const masking = custom({ regex: '(?s)<<.*>>|~{790}', entities: ['IP_ADDRESS'] })
    const text = Buffer.from(`one\n<<${'10.1.2.3 and\nmore '.repeat(1000)}>> two\n<< three\n`)
    const whole = await masked(masking, [text])
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4000 }), { maxLength: 20 }), async (sizes) => {
        expect(await masked(masking, chunks(text, sizes))).toBe(whole)
      }),
      { numRuns: 20 },
    )
  })

  it('shows a line at once, though a regex that could go on over it is looked for', async () => {
    const stream = new MaskedStream(custom({ regex: '<<[^>]*>>' }))
    expect(String(await stream.push(Buffer.from('one\ntwo <<\nthree')))).toBe('one\n')
    expect(String(await stream.push(Buffer.from(' >>\nfour')))).toBe('two <C>\n')
  })

  it('gives up on a window that takes too long, keeps what it has not looked at, and goes on behind it', async () => {
    const stream = new MaskedStream(custom({ regex: 'a.*b|a|1' }), 0)
    const error: unknown = await Promise.resolve(stream.push(Buffer.from(`${'a'.repeat(5000)}\nnext`))).catch(
      (cause: unknown) => cause,
    )
    expect(error).toBeInstanceOf(MaskingTooLong)
    expect(String(stream.pass())).toBe(`${'a'.repeat(5000)}\nnext`)
    expect([stream.held, String(await stream.end())]).toEqual([0, ''])
  })

  it('masks a private key as a whole beside a regex that only a small window is looked through with', async () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(3000)}\n-----END PRIVATE KEY-----\n`
    const masking = custom({ regex: 'x{790}', entities: ['PRIVATE_KEY'] })
    expect(await masked(masking, [Buffer.from(key)])).toBe('<PRIVATE_KEY>\n')
  })
})

function custom({ regex, denyList = [], entities = [] }: Partial<CustomType> & { entities?: string[] }) {
  return new Masking({ ...EVERYTHING, entities, custom: [{ name: 'C', regex, denyList, score: 1 }] })
}

/** Cuts a text into pieces of these sizes, the rest as one. */
function chunks(text: Buffer, sizes: readonly number[]): Buffer[] {
  let from = 0
  const pieces = sizes.map((size) => text.subarray(from, (from += size)))
  return [...pieces, text.subarray(from)]
}

async function masked(masking: Masking, pieces: readonly Buffer[]): Promise<string> {
  const stream = new MaskedStream(masking)
  const shown: Buffer[] = []
  for (const piece of pieces) shown.push(Buffer.from(await stream.push(piece)))
  shown.push(await stream.end())
  return Buffer.concat(shown).toString()
}

const span = fc
  .tuple(fc.nat(30), fc.integer({ min: 1, max: 8 }))
  .map(([start, length]): Span => ({ start, end: start + length }))

describe('a cut', () => {
  it('is the last place where no match lies across, wherever the matches are', () => {
    fc.assert(
      fc.property(fc.array(span), fc.nat(30), (matches, last) => {
        const cut = done(findClearPlace(matches, subjectOf(Buffer.from('.'.repeat(40))), 0, last))
        const isClear = (at: number) => !matches.some(({ start, end }) => start < at && at < end)
        const places = Array.from({ length: last + 1 }, (_, place) => last - place)
        expect(cut).toBe(places.find(isClear))
      }),
    )
  })

  it('goes through the matches once, however often it has to go back', () => {
    let looks = 0
    const matches = Array.from({ length: 10_000 }, (_, n) => ({
      get start() {
        looks++
        return n * 4 + 2
      },
      end: n * 4 + 4,
    }))
    expect(done(findClearPlace(matches, subjectOf(Buffer.from('aa.b'.repeat(10_000))), 0, 39_999))).toBe(2)
    expect(looks).toBeLessThan(50 * matches.length)
  })
})
