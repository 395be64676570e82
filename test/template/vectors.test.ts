import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseTemplate, TemplateError } from '../../src/template/runbook.ts'

/** A case as Go answered it; test/fixtures/vectors/README.md and test/fixtures/templategen tell how they are made. */
interface Case {
  readonly name: string
  readonly template: string
  readonly parameters: Readonly<Record<string, string>>
  readonly output?: string
  readonly env_vars?: Readonly<Record<string, string>>
  readonly inputs?: readonly string[]
  readonly missing?: readonly string[]
  readonly error?: string
  readonly stage?: string
}

function casesOf(file: string): readonly Case[] {
  return JSON.parse(
    readFileSync(new URL(`../fixtures/vectors/${file}`, import.meta.url), 'utf8'),
  ) as readonly Case[]
}

/** What we make of a case, in the shape Go's answers have. */
function answer({ template, parameters }: Case) {
  let inputs: readonly string[] = []
  try {
    const parsed = parseTemplate(template)
    inputs = parsed.inputs.map(({ name }) => name).sort()
    const { bytes, env } = parsed.render(new Map(Object.entries(parameters)))
    return { inputs, output: bytes.toString(), env: Object.fromEntries(env) }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return { inputs, error: error.message, stage: error.stage }
  }
}

/** Go writes these values; here what a template declares holds (docs/protocol.md). */
const ENFORCED: ReadonlyMap<string, string> = new Map([
  ['options not enforced', 'parameter n has to be one of a, b'],
  ['all functions that change nothing', 'parameter x has to be one of z'],
])

function expected({ name, output, env_vars, inputs = [], error, stage }: Case) {
  const enforced = ENFORCED.get(name)
  if (enforced !== undefined) return { inputs, error: enforced, stage: 'parameters' }
  if (error !== undefined) return { inputs, error, stage }
  return { inputs, output, env: env_vars ?? {} }
}

describe.each(['templates.json', 'templates-extra.json'])('the cases in %s', (file) => {
  const cases = casesOf(file)

  // One test for all: the difference shows the names of the cases that differ.
  test('are answered as Go answers them, down to the wording and the place of errors', () => {
    const byName = (answers: (one: Case) => unknown) =>
      Object.fromEntries(cases.map((one) => [one.name, { template: one.template, answer: answers(one) }]))
    expect(byName(answer)).toEqual(byName(expected))
  })

  test('name the missing parameters, sorted', () => {
    const withMissing = cases.filter(({ missing }) => missing !== undefined)
    expect(withMissing.length).toBeGreaterThan(0)
    for (const { missing, error } of withMissing) {
      expect(error).toBe(`the following inputs are missing [${missing?.join(' ') ?? ''}]`)
    }
  })

  test('have names of their own', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  })
})
