import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SessionGuardrails, type CompiledGuardrails } from '../../../src/agent/policy/guardrails.ts'
import { RefusedError } from '../../../src/agent/refused.ts'
import { CompiledCache } from '../../../src/policy/compiled-cache.ts'

const asking = (...patterns: string[]) => ({
  guardRailRules: Buffer.from(
    JSON.stringify({
      input_rules: [{ rules: [{ type: 'deny_words_list', words: ['DROP'] }] }],
      output_rules: [{ rules: patterns.map((pattern_regex) => ({ type: 'pattern_match', pattern_regex })) }],
    }),
  ),
  dlpProvider: '',
  clientVerb: 'exec',
})

const { signal: ended } = new AbortController()

function countingCache() {
  const cache = new CompiledCache<CompiledGuardrails>()
  const compiled: number[] = []
  const get = cache.get.bind(cache)
  cache.get = (payload, compile) =>
    get(payload, () => {
      compiled.push(payload.length)
      return compile()
    })
  return { cache, compiled }
}

it('compiles the rules of several sessions once, and other rules anew', async () => {
  const { cache, compiled } = countingCache()
  for (let session = 0; session < 3; session++) {
    const rules = await SessionGuardrails.of(asking('b+'), undefined, cache)
    expect(await rules?.judge(Buffer.from('DROP TABLE a'), [], 0, ended)).toMatchObject({
      info: { words: ['DROP'] },
    })
    expect(await rules?.judge(Buffer.from('SELECT 1'), [], 0, ended)).toBeUndefined()
  }
  expect(compiled).toHaveLength(1)
  await SessionGuardrails.of(asking('c+'), undefined, cache)
  expect(compiled).toHaveLength(2)
})

it('refuses each session whose rules cannot be enforced', async () => {
  const { cache } = countingCache()
  for (let session = 0; session < 2; session++)
    await expect(SessionGuardrails.of(asking('(?!x)'), undefined, cache)).rejects.toThrow(RefusedError)
})

it('judges the outputs of sessions that share their rules, each for itself, however they come in turns', async () => {
  const { cache } = countingCache()
  const asked = asking('a.{3}b\\b', '(?i)drop\\s+table', 'é+x$')
  const word = fc.constantFrom('a', 'axyzb', ' ', 'DROP ', 'table', 'é', 'x', '\n', 'plain text ')
  const output = fc.array(word, { minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(fc.array(output, { minLength: 2, maxLength: 4 }), async (outputs) => {
      const alone = []
      for (const pieces of outputs) alone.push(await shown(pieces, new CompiledCache()))
      expect(await Promise.all(outputs.map((pieces) => shown(pieces, cache)))).toEqual(alone)
    }),
    { numRuns: 50 },
  )

  /** What a session shows of these pieces, up to a violation. */
  async function shown(
    pieces: readonly string[],
    shared: CompiledCache<CompiledGuardrails>,
  ): Promise<string> {
    const filter = (await SessionGuardrails.of(asked, undefined, shared))?.filters(false, ended)[0]?.()
    let text = ''
    try {
      for (const piece of pieces) text += String(await filter?.push(Buffer.from(piece)))
      return text + String(await filter?.end())
    } catch (error) {
      return `${text}: ${(error as Error).message}`
    }
  }
})
