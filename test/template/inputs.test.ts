import { describe, expect, test } from 'vitest'
import { parseTemplate } from '../../src/template/runbook.ts'

function inputsOf(template: string) {
  return parseTemplate(template).inputs
}

describe('the inputs of a template', () => {
  test('are the parameters of its top-level actions in the order they appear', () => {
    expect(inputsOf('{{ .b }} {{ .a }} {{ .b }} {{ if .c }}{{ .d }}{{ end }}')).toEqual([
      { name: 'b', type: 'text', optional: false },
      { name: 'a', type: 'text', optional: false },
    ])
  })

  test('carry what their functions say to a client', () => {
    const template = `{{ .url
      | default "http://localhost:3000"
      | required "url is required"
      | description "The \\"URL\\" | to fetch"
      | placeholder \`https://\`
      | type "url"
      | pattern "^https?://"
      | minlength "2"
      | maxlength "50"
      | order "3"
      | options "a b" "c" ""
      | asenv "FETCH_URL" }}`
    expect(inputsOf(template)).toEqual([
      {
        name: 'url',
        type: 'url',
        optional: true,
        default: 'http://localhost:3000',
        required: 'url is required',
        description: 'The "URL" | to fetch',
        placeholder: 'https://',
        pattern: '^https?://',
        minlength: '2',
        maxlength: '50',
        order: 3,
        options: ['a b', 'c', ''],
        asenv: 'FETCH_URL',
      },
    ])
  })

  test.each([
    'text',
    'number',
    'tel',
    'time',
    'date',
    'url',
    'email',
    'select',
    'textarea',
    'password',
    'file',
  ])('can be of type %s', (type) => {
    expect(inputsOf(`{{ .x | type "${type}" }}`)).toEqual([{ name: 'x', type, optional: false }])
  })

  test('are text when their type is none of those', () => {
    expect(inputsOf('{{ .x | type "colour" }}')).toEqual([{ name: 'x', type: 'text', optional: false }])
  })

  test('have no order when it is no number', () => {
    expect(inputsOf('{{ .x | order "first" }}{{ .y | order "-2" }}')).toEqual([
      { name: 'x', type: 'text', optional: false },
      { name: 'y', type: 'text', optional: false, order: -2 },
    ])
  })

  test('are described by their last action, at the place of their first', () => {
    expect(inputsOf('{{ .a | default "1" }}{{ .b }}{{ .a | description "d" }}')).toEqual([
      { name: 'a', type: 'text', optional: false, description: 'd' },
      { name: 'b', type: 'text', optional: false },
    ])
  })

  test('may be absent when their default is computed, which a client cannot show', () => {
    expect(inputsOf('{{ .a | default $.b }}{{ .c | default "" }}')).toEqual([
      { name: 'a', type: 'text', optional: true },
      { name: 'c', type: 'text', optional: false, default: '' },
    ])
  })

  test('are not described by functions whose arguments are no strings', () => {
    expect(inputsOf('{{ .a | description .b | minlength 2 | options .c "d" }}')).toEqual([
      { name: 'a', type: 'text', optional: false, options: ['d'] },
    ])
  })

  test('are none in a template without actions', () => {
    expect(inputsOf('select 1')).toEqual([])
  })
})
