import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { FoundData } from '../../../src/policy/masking/findings.ts'
import { Masking } from '../../../src/policy/masking/masking.ts'
import { decodeCustomTypes, EVERYTHING, type MaskingRules } from '../../../src/policy/masking/rules.ts'

interface Vector {
  readonly id: string
  readonly note?: string
  readonly input: string
  readonly entities: readonly string[] | null
  readonly threshold: number
  readonly allow_list?: readonly string[]
  readonly custom?: unknown
  readonly findings: readonly Record<string, string | number>[]
  readonly replaced: string
  readonly masked: string
}

const file = new URL('../../fixtures/vectors/masking.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[]

describe("the reference's own answers", () => {
  it.each(vectors.map((vector) => [`${vector.id} ${vector.note ?? ''}`, vector] as const))(
    '%s',
    (_, vector) => {
      const text = Buffer.from(vector.input)
      const found = new Masking(rulesOf(vector)).find(text)
      expect(found.map((finding) => described(text, finding))).toEqual(
        vector.findings.map((finding) => ({
          ...finding,
          score: expect.closeTo(Number(finding['score']), 9) as number,
        })),
      )
      expect(masked(vector, { form: 'tag' })).toBe(vector.replaced)
      expect(masked(vector, { form: 'mask', character: '#' })).toBe(vector.masked)
    },
  )
})

function rulesOf({ entities, threshold, allow_list: allow = [], custom = [] }: Vector): MaskingRules {
  return {
    ...EVERYTHING,
    entities: entities ?? undefined,
    threshold,
    allow,
    custom: decodeCustomTypes(custom),
  }
}

function masked(vector: Vector, replacement: MaskingRules['replacement']): string {
  return new Masking({ ...rulesOf(vector), replacement }).mask(Buffer.from(vector.input)).toString()
}

function described(
  text: Buffer,
  { type, start, end, score, recognizer }: FoundData,
): Record<string, unknown> {
  const [before, match] = [text.toString('utf8', 0, start), text.toString('utf8', start, end)]
  const [points, units] = [Array.from(before).length, before.length]
  return {
    ...{ type, start, end, score, recognizer, text: match },
    ...{ cp_start: points, cp_end: points + Array.from(match).length },
    ...{ utf16_start: units, utf16_end: units + match.length },
  }
}
