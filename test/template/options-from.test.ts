import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chosenValues, declaredLists } from '../../src/template/options-from.ts'
import { parseTemplate } from '../../src/template/runbook.ts'

const LIST = '{{/* options-from tenant lists/t.runbook.sql */}}'
const OF = '{{- /* options-from tenant lists/t.runbook.sql of region */ -}}'
const USES = '{{ .tenant | default "acme" | asenv "T" }}{{ .region | asenv "R" }}'
const inputs = (source: string) => {
  const { inputs: listed, inBlocks } = parseTemplate(source)
  return [...listed, ...inBlocks]
}
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
      chosenValues(inputs(source), new Map(Object.entries(values))).map(({ value, ofValue }) => [
        value,
        ofValue,
      ])
    expect(chosen({ tenant: 'x', region: 'eu' })).toEqual([['x', 'eu']])
    expect(chosen({ tenant: '', region: 'eu' })).toEqual([['acme', 'eu']])
    expect(chosen({ tenant: 'x' }, `${LIST}${USES}`)).toEqual([['x', '']])
    expect(chosen({}, `${LIST}{{ if .tenant }}x{{ end }}`)).toEqual([])
  })
})
