import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseTemplate, type RenderedTemplate, TemplateError } from '../../src/template/runbook.ts'

type Parameters = Readonly<Record<string, string>>

function render(template: string, parameters: Parameters = {}): RenderedTemplate {
  return parseTemplate(template).render(new Map(Object.entries(parameters)))
}

function failure(
  template: string,
  parameters: Parameters = {},
): { stage: string; message: string } | undefined {
  try {
    render(template, parameters)
    return undefined
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return { stage: error.stage, message: error.message }
  }
}

/** Text as it comes out of UTF-8: a broken surrogate is U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}

/** Any text, broken surrogates included. */
const anyText = fc.string({ unit: 'binary', maxLength: 60 })

/** Pieces from which random templates are put together; most of the results are nonsense. */
const PIECES = [
  ...[
    '{{',
    '}}',
    '{{-',
    '-}}',
    ' ',
    '\n',
    '{{/*',
    '*/}}',
    '(',
    ')',
    '|',
    ',',
    ':=',
    '=',
    '.',
    '$',
    '"',
    '`',
    "'",
    '\\',
    '%',
    '-',
  ],
  ...[
    'if',
    'else',
    'end',
    'range',
    'with',
    'break',
    'continue',
    'define',
    'template',
    'block',
    'nil',
    'true',
    '.p',
    '.absent',
    '$v',
  ],
  ...[
    '$v := ',
    '{{ end }}',
    '{{ else }}',
    '{{ if .p }}',
    '{{ range . }}',
    '{{ range 3 }}',
    '{{ with .p }}',
    '{{ .p }}',
    '{{ $v }}',
  ],
  ...[
    '1',
    '0x1F',
    '1.5',
    "'a'",
    '"%d"',
    '"%v %q"',
    '"a"',
    'é',
    '☃',
    '\u0001',
    '1_0',
    '-3',
    '99999999999999999999',
    '1i',
    '..',
  ],
  ...[
    'print',
    'printf',
    'len',
    'index',
    'slice',
    'eq',
    'ne',
    'lt',
    'and',
    'or',
    'not',
    'html',
    'js',
    'urlquery',
    'call',
    'squote',
  ],
  ...[
    'default',
    'quotechar',
    'encodeb64',
    'decodeb64',
    'asenv',
    'options',
    'type',
    ' | ',
    '(print .p)',
    '(len .p)',
  ],
]
const anyTemplate = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 25 }).map((pieces) => pieces.join('')),
  fc
    .array(fc.constantFrom(...PIECES), { maxLength: 25 })
    .map((pieces) => `{{ if true }}{{ ${pieces.join(' ')} }}{{ end }}`),
  fc.string({ unit: 'binary', maxLength: 200 }).map((text) => `{{ ${text}`),
)

describe('rendering', () => {
  test('gives back text without actions as it is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(!text.includes('{{'))
        expect(render(text).bytes.toString()).toBe(wellFormed(text))
      }),
    )
  })

  test('never interprets the value of a parameter', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, anyTemplate), (value) => {
        const text = wellFormed(value)
        expect(render('[{{ .x }}]{{ .x | squote }}', { x: value }).bytes.toString()).toBe(
          `[${text}]'${text}'`,
        )
        expect(render('{{ with .x }}{{ . }}{{ end }}', { x: value }).bytes.toString()).toBe(text)
      }),
    )
  })

  test('hands a parameter over in an environment variable byte for byte', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        const { bytes, env } = render('{{ .x | asenv "K" }}', { x: value })
        expect(bytes.toString()).toBe('')
        expect([...env]).toEqual([['envvar:K', Buffer.from(value, 'utf8').toString('base64')]])
      }),
    )
  })

  test('ends in a template or in a TemplateError for any source, and in text or a TemplateError for any template', () => {
    fc.assert(
      fc.property(anyTemplate, anyText, (template, value) => {
        const found = failure(template, { p: value })
        if (found !== undefined) expect(['parse', 'parameters', 'render']).toContain(found.stage)
      }),
      { numRuns: 400 },
    )
  })

  test('does not show the value of a parameter in an error', () => {
    fc.assert(
      fc.property(anyTemplate, (template) => {
        expect(failure(template, { p: 'hunter2-hunter2' })?.message ?? '').not.toContain('hunter2')
      }),
      { numRuns: 400 },
    )
  })

  test('reads a quoted string as the value it was made from', () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom('%q', '%+q', '%#q'), (value, verb) => {
        const quoted = render(`{{ if true }}{{ printf "${verb}" .x }}{{ end }}`, {
          x: value,
        }).bytes.toString()
        fc.pre(!quoted.includes('\r'))
        expect(render(`{{ if true }}{{ print ${quoted} }}{{ end }}`).bytes.toString()).toBe(wellFormed(value))
      }),
    )
  })

  test('gets bytes back through base64, even when they are no text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const encoded = Buffer.from(bytes).toString('base64')
        const rendered = render('{{ .x | decodeb64 }}', { x: encoded })
        expect(new Uint8Array(rendered.bytes)).toEqual(bytes)
        expect(rendered.bytes.toString()).toBe(Buffer.from(bytes).toString('utf8'))
        expect(render('{{ .x | decodeb64 | encodeb64 }}', { x: encoded }).bytes.toString()).toBe(encoded)
      }),
    )
  })

  test('keeps nothing from one rendering for the next', () => {
    const template = parseTemplate('{{ .x | asenv "K" }}{{ if .y }}{{ .y | asenv "L" }}{{ end }}{{ .x }}')
    const first = template.render(
      new Map([
        ['x', '1'],
        ['y', '2'],
      ]),
    )
    const second = template.render(new Map([['x', '3']]))
    expect([...first.env.keys()]).toEqual(['envvar:K', 'envvar:L'])
    expect([...second.env]).toEqual([['envvar:K', Buffer.from('3').toString('base64')]])
    expect(second.bytes.toString()).toBe('3')
  })

  test('leaves the given parameters as they were', () => {
    const parameters = new Map([['y', '1']])
    parseTemplate('{{ .x | default "d" }}').render(parameters)
    expect([...parameters]).toEqual([['y', '1']])
  })

  test('sorts parameters by the bytes of their names', () => {
    const parameters = { '\u{1f600}': '4', '\uff5e': '3', é: '2', a: '1' }
    expect(render('{{ range . }}{{ . }}{{ end }}', parameters).bytes.toString()).toBe('1234')
  })

  test('shows a broken surrogate of the source or of a value as U+FFFD', () => {
    expect(render('a\ud800b{{ .x }}', { x: '\udc00' }).bytes.toString()).toBe('a\ufffdb\ufffd')
  })
})

describe('what is refused', () => {
  test.each([
    ['{{ define "a" }}b{{ end }}', '{{define}}'],
    ['a{{ template "a" . }}', '{{template}}'],
    ['{{ if .x }}{{ block "a" . }}b{{ end }}{{ end }}', '{{block}}'],
  ])('%s says so when the template is read', (template, keyword) => {
    expect(failure(template, { x: '1' })).toEqual({
      stage: 'parse',
      message: `template: :1: ${keyword} is not supported`,
    })
  })

  test.each([
    ['{{ if true }}{{ 1i }}{{ end }}', 'complex constants are not supported: "1i"'],
    ['{{ if true }}{{ 1+2i }}{{ end }}', 'complex constants are not supported: "1+2i"'],
    [
      '{{ if true }}{{ 0x1p-2 }}{{ end }}',
      'hexadecimal floating point constants are not supported: "0x1p-2"',
    ],
  ])('%s names the constant', (template, message) => {
    expect(failure(template)).toEqual({ stage: 'parse', message: `template: :1: ${message}` })
  })

  test.each(['b', 'x', 'X'])('the verb %%%s of a float', (verb) => {
    expect(failure(`{{ if true }}{{ printf "%${verb}" 1.5 }}{{ end }}`)).toEqual({
      stage: 'render',
      message:
        `template: :1:16: executing "" at <printf "%${verb}" 1.5>: ` +
        `error calling printf: %${verb} of a float64 is not supported`,
    })
  })

  test.each([
    [
      '{{ range .x }}a{{ end }}',
      `template: :1:9: executing "" at <.x>: range can't iterate over a value of type string`,
    ],
    [
      '{{ if eq . . }}a{{ end }}',
      'template: :1:6: executing "" at <eq . .>: error calling eq: non-comparable type map[string]string',
    ],
    [
      '{{ if true }}{{ .x | call }}{{ end }}',
      'template: :1:21: executing "" at <call>: error calling call: non-function value of type string',
    ],
  ])('%s shows the type where Go shows the value', (template, message) => {
    expect(failure(template, { x: 'hunter2' })).toEqual({ stage: 'render', message })
  })

  test('a message of required is taken as it is, percent signs and all', () => {
    expect(failure('{{ .x | required "100% of %s" }}', { x: '' })?.message).toBe(
      'template: :1:8: executing "" at <required "100% of %s">: error calling required: 100% of %s',
    )
  })
})

it('a template knows every name that it may use, wherever it stands', () => {
  const source =
    '{{ .a | default "b" }}{{ if and .c (eq .d "x") }}{{ $.e }}{{ else }}{{ .f }}{{ end }}{{ range $i, $v := .g }}{{ index $ "h" }}{{ $v }}{{ end }}{{ with .a }}{{ . }}{{ end }}'
  const { inputs, inBlocks } = parseTemplate(source)
  expect(inputs.map(({ name }) => name)).toEqual(['a'])
  expect(inBlocks.map(({ name }) => name)).toEqual(['c', 'd', 'e', 'f', 'g', 'h'])
})

it('a brace of another template is written by with, and by a shell that joins two texts', () => {
  const source = `a '{{ with "{{.Names}}: {{.Status}}" }}{{ . }}{{ end }}' '{''{.Names}}'`
  const template = parseTemplate(source)
  expect(template.inputs).toEqual([])
  expect(template.render(new Map()).bytes.toString()).toBe(`a '{{.Names}}: {{.Status}}' '{''{.Names}}'`)
  expect(() => parseTemplate('{{ "{{" }}')).toThrow('inconsistent findings')
})

describe('places of values', () => {
  const placesOf = (source: string, parameters: Readonly<Record<string, string>>) => {
    const { bytes, places } = parseTemplate(source).render(new Map(Object.entries(parameters)))
    return places.map(({ start, end, names }) => [bytes.subarray(start, end).toString(), ...names])
  }

  it('are counted in bytes, and name the parameters of each expression', () => {
    const source =
      'ä {{ .a }} {{ if .a }}{{ .b | squote }}{{ end }} {{ with .b }}{{ . }}{{ end }}{{ .c | default "d" }}'
    expect(placesOf(source, { a: 'é', b: 'x y' })).toEqual([['é', 'a'], ["'x y'", 'b'], ['x y'], ['d', 'c']])
  })

  it('leave out empty values, and what comes after 200 values', () => {
    expect(placesOf('{{ .a }}{{ .b }}', { a: '', b: 'x' })).toEqual([['x', 'b']])
    expect(placesOf('{{ .a }}'.repeat(300), { a: 'x' })).toHaveLength(200)
  })
})
