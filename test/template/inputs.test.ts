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

describe('the parameters that only blocks use', () => {
  const inBlocks = (template: string) => parseTemplate(template).inBlocks
  const plain = (name: string) => ({ name, type: 'text', optional: true })

  test('keep what their functions say', () => {
    expect(inBlocks('{{ if .a }}{{ .n | type "number" | description "d" }}{{ .n }}{{ end }}')).toEqual([
      plain('a'),
      { name: 'n', type: 'number', optional: true, description: 'd' },
    ])
  })

  test('are described in every branch of an if, and behind $ where the dot is another value', () => {
    const described = '| options "x"'
    const template = `{{ if .a }}{{ .b ${described} }}{{ else if .c }}{{ .d ${described} }}{{ else }}{{ .e ${described} }}{{ end }}
{{ with .a }}{{ $.f ${described} }}{{ .g ${described} }}{{ else }}{{ .h ${described} }}{{ end }}
{{ range $v := .a }}{{ $.i ${described} }}{{ .j ${described} }}{{ else }}{{ .k ${described} }}{{ end }}`
    const options = inBlocks(template).filter((input) => input.options !== undefined)
    expect(options.map(({ name }) => name)).toEqual(['b', 'd', 'e', 'f', 'h', 'i', 'k'])
  })

  test('keep no rule if their actions differ, and stay secret', () => {
    const choice = (...types: string[]) =>
      types.map((type) => `{{ if .a }}{{ .n | type "${type}" }}{{ end }}`).join('')
    expect(inBlocks(choice('number', 'email'))[1]).toEqual(plain('n'))
    expect(inBlocks(choice('number', 'password'))[1]).toEqual({ ...plain('n'), type: 'password' })
    expect(inBlocks(choice('number', 'number'))[1]).toEqual({ ...plain('n'), type: 'number' })
  })

  test('may be missing, and have to keep their rules if they are given', () => {
    const template = parseTemplate('a{{ if eq .a "1" }}{{ .n | options "x" "y" }}{{ end }}')
    const render = (values: Record<string, string>) =>
      template.render(new Map(Object.entries({ a: '', ...values }))).bytes.toString()
    expect(render({})).toBe('a')
    expect(render({ a: '1', n: 'y' })).toBe('ay')
    expect(() => render({ n: 'z' })).toThrow('parameter n has to be one of x, y')
  })
})
