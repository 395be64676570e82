import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
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
