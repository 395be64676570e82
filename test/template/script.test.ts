import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { renderScript, type TemplateData } from '../../src/template/script.ts'
import { TemplateError } from '../../src/golang/template/errors.ts'

/** A case as Go answered it: test/fixtures/scriptgen. */
interface Case {
  readonly name: string
  readonly template: string
  readonly data: TemplateData | null
  readonly output?: string
  readonly error?: string
  readonly stage?: string
}

const cases = JSON.parse(
  readFileSync(new URL('../fixtures/vectors/scripts.json', import.meta.url), 'utf8'),
) as readonly Case[]

function answer(template: string, data: TemplateData | null) {
  try {
    return { output: renderScript(template, data).toString() }
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return { error: error.message, stage: error.stage }
  }
}

test('a script is rendered as Go renders it, down to the wording and the place of errors', () => {
  const byName = (answers: (one: Case) => unknown) =>
    Object.fromEntries(cases.map((one) => [one.name, { template: one.template, answer: answers(one) }]))
  expect(byName(({ template, data }) => answer(template, data))).toEqual(
    byName(({ output, error, stage }) => (error === undefined ? { output } : { error, stage })),
  )
})

describe('a script', () => {
  test('keeps bytes that are no text', () => {
    expect(renderScript('{{ "\\xff" }}', null)).toEqual(Buffer.from([0xff]))
  })

  test('whose data is nested without end is refused', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)
    expect(answer('{{ .deep }}', { deep })).toEqual({
      error: 'the data is nested more than 200 levels deep',
      stage: 'render',
    })
  })

  test.each([
    ['reading over a million bytes', 'x'.repeat(1_000_001), {}, 'maximum is 1000000'],
    [
      'a doubled list',
      '{{ range 1000000 }}{{ $x := print $.list }}{{ end }}',
      { list: ['x'.repeat(10_000)] },
      'too much work',
    ],
    ['a loop without end', '{{ range 9999999999 }}{{ end }}', {}, 'too much work'],
    ['define', '{{ define "a" }}{{ end }}', {}, '{{define}} is not supported'],
  ])('is refused for %s', (_name, template, data, reason) => {
    expect(answer(template, data).error).toContain(reason)
  })

  test('shows no value of its data in an error', () => {
    const data = { secret: 'hunter2-hunter2', list: ['hunter2-hunter2'], map: { a: 'hunter2-hunter2' } }
    const templates = [
      '{{ .secret.x }}',
      '{{ .list.x }}',
      '{{ .map.a.b }}',
      '{{ index .list .secret }}',
      '{{ index .map .list }}',
      '{{ range .secret }}{{ end }}',
      '{{ eq .map .map }}',
      '{{ eq .list .secret }}',
      '{{ lt .map .secret }}',
      '{{ .secret | call }}',
      '{{ printf .list }}',
      '{{ len .nothing }}',
      '{{ slice .secret .list }}',
      '{{ .secret 1 }}',
    ]
    const errors = templates.map((template) => answer(template, data).error)
    expect(errors.filter((error) => error === undefined || error.includes('hunter2'))).toEqual([])
  })
})
