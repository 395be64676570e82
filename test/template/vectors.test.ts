import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseTemplate, TemplateError } from '../../src/template/runbook.ts'

/** A case as Go answered it; test/vectors/README.md and test/fixtures/templategen tell how they are made. */
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
  return JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8')) as readonly Case[]
}

/** What we make of a case, in the shape Go's answers have. */
function answer({ template, parameters }: Case) {
  let inputs: readonly string[] = []
  try {
    const parsed = parseTemplate(template)
    inputs = parsed.inputs.map(({ name }) => name).sort()
    const { text, env } = parsed.render(new Map(Object.entries(parameters)))
    return { inputs, output: text, env: Object.fromEntries(env) }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return { inputs, error: error.message, stage: error.stage }
  }
}

function expected({ output, env_vars, inputs = [], error, stage }: Case) {
  if (error !== undefined) return { inputs, error, stage }
  return { inputs, output, env: env_vars ?? {} }
}

describe.each(['templates.json', 'templates-extra.json'])('the cases that Go answered in %s', (file) => {
  const cases = casesOf(file)

  test.each(cases.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    expect(answer(one)).toEqual(expected(one))
  })

  test('name the missing parameters, sorted', () => {
    const withMissing = cases.filter(({ missing }) => missing !== undefined)
    expect(withMissing.length).toBeGreaterThan(0)
    for (const { missing, error } of withMissing) {
      expect(error).toBe(`the following inputs are missing [${missing?.join(' ') ?? ''}]`)
    }
  })
})
