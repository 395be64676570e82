import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chosenValues, declaredLists, MAX_LISTS } from '../../src/template/options-from.ts'
import { parseTemplate } from '../../src/template/runbook.ts'

const LIST = '{{/* options-from tenant lists/t.runbook.sql */}}'
const OF = '{{- /* options-from tenant lists/t.runbook.sql of region */ -}}'
const USES = '{{ .tenant | default "acme" | asenv "T" }}{{ .region | asenv "R" }}'
const inputs = (source: string) => {
  const { inputs: listed, inBlocks } = parseTemplate(source)
  return [...listed, ...inBlocks]
}
/** Lists of parameters that the comments and texts also use. */
const manyLists = (count: number) =>
  Array.from(
    { length: count },
    (_, at) => `{{/* options-from p${at} lists/${at} */}}{{ .p${at} | asenv "P${at}" }}`,
  )
const fromOf = (source: string) => inputs(source).find(({ name }) => name === 'tenant')?.optionsFrom

describe('a comment of a template', () => {
  it('names the list of a parameter, and the parameter that chooses among its values', () => {
    expect(fromOf(`${LIST}${USES}`)).toEqual({ list: 'lists/t.runbook.sql', of: undefined })
    expect(fromOf(`a\n ${OF}\n${USES}`)).toEqual({ list: 'lists/t.runbook.sql', of: 'region' })
    expect(fromOf(`${USES}{{/*\n options-from\ttenant\n lists/t.runbook.sql */}}`)).toBeDefined()
    expect(fromOf(`${LIST}{{ if .tenant }}x{{ end }}`)).toBeDefined()
  })

  it('changes nothing in the script', () => {
    const [bare, listed] = [`a{{ .tenant }}b`, `${LIST}a{{ .tenant }}b`].map((source) =>
      parseTemplate(source)
        .render(new Map([['tenant', 'x']]))
        .bytes.toString(),
    )
    expect(listed).toBe(bare)
  })

  it.each([
    ['{{/* a comment */}}'],
    ['{{/* see options-from tenant lists/t */}}'],
    ['{{/* options-fromm tenant lists/t */}}'],
    ['# options-from tenant lists/t'],
  ])('declares nothing with other words: %s', (comment) => {
    expect(fromOf(`${comment}${USES}`)).toBeUndefined()
  })

  it.each([
    ['{{/* options-from */}}', 'write {{'],
    ['{{/* options-from: tenant lists/t */}}', 'write {{'],
    ['{{/* options-from:tenant lists/t */}}', 'write {{'],
    ['{{/* Options-From tenant lists/t */}}', 'write {{'],
    ['{{/* options-from tenant */}}', 'write {{'],
    ['{{/* options-from tenant lists/t for region */}}', 'write {{'],
    ['{{/* options-from tenant lists/t of */}}', 'write {{'],
    ['{{/* options-from tenant lists/t of region more */}}', 'write {{'],
    ['{{/* options-from te-nant lists/t */}}', 'write {{'],
    ['{{/* options-from tenant {{/* lists/t */}}', 'no end of its own'],
    ['{{/* options-from tenant lists/t {{- /* a comment */}}', 'no end of its own'],
    ['{{ .x | default "{{/* options-from tenant" }}', 'no end of its own'],
    [manyLists(MAX_LISTS + 1).join(''), 'at most 20 lists, and this one has 21'],
    ['{{ .tenant | default "b" }}{{/* options-from tenant lists/t */}}', 'one default'],
    ['{{ if .x }}{{ .tenant | default "b" }}{{ end }}{{/* options-from tenant lists/t */}}', 'one default'],
    ['{{ if .x }}{{ default "b" .tenant }}{{ end }}{{/* options-from tenant lists/t */}}', 'one default'],
    ['{{ if (.tenant | default "b") }}x{{ end }}{{/* options-from tenant lists/t */}}', 'one default'],
    ['{{ .tenant | default .region }}{{/* options-from tenant lists/t */}}', 'one default'],
    [`${OF}{{ .region | default "a" }}{{ .region | default "b" }}`, 'parameter region: a list'],
    ['{{/* options-from tenant /lists/t */}}', 'the path of the list'],
    ['{{/* options-from tenant ../t */}}', 'the path of the list'],
    ['{{/* options-from tenant lists//t */}}', 'the path of the list'],
    ['{{/* options-from other lists/t */}}', 'no parameter other'],
    ['{{/* options-from tenant lists/t of other */}}', 'no parameter other'],
    [`${LIST}${LIST}`, 'two lists'],
    ['{{/* options-from tenant lists/t of tenant */}}', 'depend on themselves'],
    [`${OF}{{/* options-from region lists/r of tenant */}}`, 'depend on themselves'],
    [`{{ .key | type "password" }}{{/* options-from key lists/t */}}`, 'is a password'],
  ])('is refused if its list could not be enforced: %s', (comment, problem) => {
    expect(() => parseTemplate(`${comment}${USES}`)).toThrow(problem)
  })

  it('is read with as many lists as a gateway reads at once, and with the same default in each action', () => {
    expect(fromOf(`${manyLists(MAX_LISTS - 1).join('')}${LIST}${USES}`)).toBeDefined()
    const shared = [...manyLists(MAX_LISTS), '{{/* options-from other lists/0 */}}{{ .other | asenv "O" }}']
    expect(inputs(shared.join('')).length).toBe(MAX_LISTS + 1)
    expect(
      fromOf(`${LIST}${USES}{{ .tenant | default "acme" }}{{ .region | default .tenant }}`),
    ).toBeDefined()
  })

  it('is found whatever other comments and texts are before it', () => {
    const piece = fc.constantFrom(
      '{{/*',
      '*/}}',
      '{{- /*',
      '*/ -}}',
      '"',
      '`',
      '{{',
      '}}',
      ' ',
      '\n',
      'x',
      '/*',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        let found: readonly { readonly line: number }[]
        try {
          found = declaredLists(`${pieces.join('')}${LIST}`)
        } catch {
          return
        }
        expect(found.at(-1)?.line).toBe(pieces.join('').split('\n').length)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the chosen values', () => {
  it('are those of the parameters with a list, and an empty value is the default', () => {
    const chosen = (values: Record<string, string>, source = `${OF}${USES}`) =>
      chosenValues(inputs(source), parseTemplate(source).defaults, new Map(Object.entries(values))).map(
        ({ value, ofValue }) => [value, ofValue],
      )
    expect(chosen({ tenant: 'x', region: 'eu' })).toEqual([['x', 'eu']])
    expect(chosen({ tenant: '', region: 'eu' })).toEqual([['acme', 'eu']])
    expect(chosen({ tenant: 'x' }, `${LIST}${USES}`)).toEqual([['x', '']])
    // The rendering takes the default of each action, and not only of the last one.
    expect(chosen({ tenant: '' }, `${LIST}${USES}{{ .tenant }}`)).toEqual([['acme', '']])
    const inBlock =
      '{{ if .x }}{{ .tenant | default "acme" }}{{ end }}{{ if .y }}{{ .tenant | type "text" }}{{ end }}'
    expect(chosen({}, `${LIST}${inBlock}`)).toEqual([['acme', '']])
    expect(chosen({}, `${LIST}{{ if .tenant }}x{{ end }}`)).toEqual([])
  })
})
