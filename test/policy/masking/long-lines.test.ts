import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MaskedStream } from '../../../src/policy/masking/masked-stream.ts'
import { Masking } from '../../../src/policy/masking/masking.ts'
import { EVERYTHING, type MaskingRules } from '../../../src/policy/masking/rules.ts'

const file = new URL('../../fixtures/vectors/masking.json', import.meta.url)
const inputs = (JSON.parse(readFileSync(file, 'utf8')) as { input: string }[]).map(({ input }) =>
  input.replaceAll(/[\n\r]/g, ' '),
)

/** The more steps a regex has, the shorter are the parts of a line: 2 KiB here. */
const SLOW = { name: 'SLOW', regex: '~{790}', denyList: [], score: 1 }

const everyInParts = new Masking({ ...EVERYTHING, custom: [SLOW] })

describe('a line that is masked in parts', () => {
  it('has the same findings as a whole line, with the words before them', async () => {
    const part = fc.oneof(
      fc.constantFrom(...inputs, 'email ', 'account 12345678 ', 'é', '数据 ', ' '),
      fc.string({ maxLength: 40 }).map((text) => text.replaceAll(/[\n\r]/g, ' ')),
    )
    const line = fc.array(part, { minLength: 120, maxLength: 300 })
    await fc.assert(
      fc.asyncProperty(line, fc.integer({ min: 100, max: 5000 }), async (parts, size) => {
        const whole = Buffer.from(parts.join(''))
        expect(await masked(everyInParts, whole, size)).toEqual(everyInParts.mask(whole))
      }),
      { numRuns: 25 },
    )
  })

  it('keeps the words before a match, wherever the line is cut', async () => {
    const masking = new Masking({ ...asking('US_BANK_NUMBER'), threshold: 0.3, custom: [SLOW] })
    for (let before = 1300; before < 1500; before++) {
      const line = `${'a '.repeat(before / 2)}${'b'.repeat(before % 2)} account 12345678${' c'.repeat(500)}`
      expect(await masked(masking, Buffer.from(line), 4096)).toEqual(
        Buffer.from(line.replace('12345678', '<US_BANK_NUMBER>')),
      )
    }
  })

  it('shows nothing of a match that is longer than a part, up to the next blank', async () => {
    const line = Buffer.from(`see https://a.example/${'x'.repeat(300_000)} and 10.1.2.3`)
    const shown = (await masked(new Masking(EVERYTHING), line, 10_000)).toString()
    expect(shown).toMatch(/^see (?:<URL>)+ and <IP_ADDRESS>$/)
  })

  it('shows nothing of a match of a custom type that is longer than a part, up to the end of the line', async () => {
    const custom = [{ name: 'NOTE', regex: '<<[^>]*>>', denyList: [], score: 1 }, SLOW]
    const masking = new Masking({ ...EVERYTHING, entities: [], custom })
    const line = Buffer.from(`a <<${'x y '.repeat(450)}>> b ${'c '.repeat(400)}\nnext`)
    const shown = (await masked(masking, line, 100)).toString()
    expect(shown).toMatch(/^a (?:<NOTE>)+\nnext$/)
  })

  it('is held up to the length of a part, however long it is', async () => {
    const stream = new MaskedStream(everyInParts)
    const held: number[] = []
    for (let n = 0; n < 500; n++) {
      await stream.push(Buffer.from('some words 10.1.2.3 '.repeat(5)))
      held.push(stream.held)
    }
    expect(Math.max(...held)).toBeLessThanOrEqual(everyInParts.window)
  })
})

describe('a masked stream', () => {
  it('masks a private key over many lines and chunks as one', async () => {
    const key = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEow+/IBAAKCAQEA\n'.repeat(60)}-----END RSA PRIVATE KEY-----`
    const masking = new Masking(asking('PRIVATE_KEY'))
    const text = Buffer.from(`one\ntwo ${key} three\n${key}\nfour`)
    for (const size of [1, 7, 64, 1000]) {
      expect((await masked(masking, text, size)).toString()).toBe(
        'one\ntwo <PRIVATE_KEY> three\n<PRIVATE_KEY>\nfour',
      )
    }
  })

  it('passes on a private key that never ends', async () => {
    const text = Buffer.from(`-----BEGIN PRIVATE KEY-----\n${'line\n'.repeat(10_000)}`)
    expect(await masked(new Masking(asking('PRIVATE_KEY')), text, 4096)).toEqual(text)
  })

  it('masks 100,000 findings, in lines and in one line', async () => {
    const masking = new Masking(asking('EMAIL_ADDRESS', 'IP_ADDRESS'))
    for (const end of ['\n', ' ']) {
      const stream = new MaskedStream(masking)
      const first = await stream.push(Buffer.from(`ann@example.com 10.1.2.3${end}`.repeat(50_000)))
      const shown = Buffer.concat([first, await stream.end()]).toString()
      expect(shown).toBe(`<EMAIL_ADDRESS> <IP_ADDRESS>${end}`.repeat(50_000))
      expect(stream.takeCounts().types).toEqual(
        new Map([
          ['EMAIL_ADDRESS', 50_000],
          ['IP_ADDRESS', 50_000],
        ]),
      )
    }
  })

  it('counts what it masked since it was asked last, by type and in bytes', async () => {
    const stream = new MaskedStream(new Masking(asking('EMAIL_ADDRESS', 'IP_ADDRESS')))
    expect(stream.takeCounts()).toEqual({ types: new Map(), bytes: 0 })
    await stream.push(Buffer.from('é a@b.de c@d.de 10.1.2.3\n10.1.2'))
    const types = new Map([
      ['EMAIL_ADDRESS', 2],
      ['IP_ADDRESS', 1],
    ])
    expect(stream.takeCounts()).toEqual({ types, bytes: 20 })
    await stream.push(Buffer.from('.3'))
    expect(stream.takeCounts()).toEqual({ types: new Map(), bytes: 0 })
    await stream.end()
    expect(stream.takeCounts()).toEqual({ types: new Map([['IP_ADDRESS', 1]]), bytes: 8 })
  })

  it('leaves bytes as they are that are no UTF-8, and finds what is between them', async () => {
    const masking = new Masking(asking('EMAIL_ADDRESS', 'US_BANK_NUMBER'))
    const bytes = fc
      .array(
        fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constant(Buffer.from(' a@b.de ')), fc.constant('\n')),
      )
      .map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))))
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 20 }), async (whole, size) => {
        expect(await masked(masking, whole, size)).toEqual(masking.mask(whole))
      }),
    )
    expect(masking.mask(Buffer.from('\xff a@b.de\xc3 \xfe', 'latin1')).toString('latin1')).toBe(
      '\xff <EMAIL_ADDRESS>\xc3 \xfe',
    )
  })
})

function asking(...entities: string[]): MaskingRules {
  return { ...EVERYTHING, entities }
}

async function masked(masking: Masking, text: Buffer, size: number): Promise<Buffer> {
  const stream = new MaskedStream(masking)
  const shown: Buffer[] = []
  for (let at = 0; at < text.length; at += size) {
    shown.push(Buffer.from(await stream.push(text.subarray(at, at + size))))
  }
  return Buffer.concat([...shown, await stream.end()])
}
