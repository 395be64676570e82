import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CustomType } from '../../../src/policy/masking/find/custom.ts'
import { MaskedStream } from '../../../src/policy/masking/masked-stream.ts'
import { Masking } from '../../../src/policy/masking/masking.ts'
import { EVERYTHING } from '../../../src/policy/masking/rules.ts'

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

  it('finds what a regex wants a blank or the beginning before, and leaves the blank that was shown', async () => {
    const lines = ['one\n', 'B-1\n', 'B-2 B-3\n']
    const masking = custom({ regex: String.raw`(?:^|\s)B-\d` })
    expect(
      await masked(
        masking,
        lines.map((line) => Buffer.from(line)),
      ),
    ).toBe('one\n<C>\n<C><C>\n')
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
