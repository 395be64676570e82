import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { parseTemplate, TemplateError, type TemplatePreview } from '../../src/template/runbook.ts'

type Parameters = Readonly<Record<string, string>>

function preview(template: string, parameters: Parameters = {}): TemplatePreview {
  return parseTemplate(template).preview(new Map(Object.entries(parameters)))
}

const textOf = (template: string, parameters?: Parameters) => preview(template, parameters).text.toString()

/** Declares a parameter that has to be there, and writes nothing. */
const needs = (name: string) => `{{ .${name} | asenv "V" }}`

describe('a preview of a template', () => {
  it.each<[string, string]>([
    ['echo {{ .a }}', 'echo ⟨a⟩'],
    ['echo {{ .a | required "which" | shellquote }} {{ .b }}', 'echo ⟨a⟩ B'],
    ['{{ .a | encodeb64 | printf "%s-%q" .b }}', '⟨a⟩'],
    [`${needs('a')}{{ if true }}{{ print .a .b .c }}{{ end }}{{ .c }}`, '⟨a, c⟩⟨c⟩'],
    [`${needs('a')}{{ if true }}{{ index . "a" }} {{ index . "b" }} {{ len $.a }}{{ end }}`, '⟨a⟩ B ⟨a⟩'],
    [`${needs('a')}{{ with . }}{{ . }} {{ .b }} {{ $.a }}{{ end }}`, '⟨a⟩ B ⟨a⟩'],
    [`${needs('a')}{{ if true }}{{ $x := .a }}{{ $y := .b }}{{ $x }} {{ $y }}{{ end }}`, '⟨a⟩ B'],
    [`${needs('a')}{{ if or .b .a }}yes{{ end }}{{ if and .b .a }}no{{ end }}`, 'yes⟨depends on a⟩'],
    [`${needs('a')}{{ with .a }}{{ . }}{{ else }}none{{ end }} end`, '⟨depends on a⟩ end'],
    [`${needs('a')}{{ if not .b }}1{{ else if eq .a "x" }}2{{ else }}3{{ end }}`, '⟨depends on a⟩'],
    [`${needs('a')}{{ if .b }}1{{ else if eq .a "x" }}2{{ else }}3{{ end }}`, '1'],
    [`${needs('a')}{{ range $i, $v := . }}{{ $v }};{{ end }}`, '⟨depends on a⟩'],
    [`${needs('a')}{{ range len .a }}x{{ end }}.`, '⟨depends on a⟩.'],
    [`${needs('a')}{{ range 3 }}[{{ if eq $.a "x" }}{{ break }}{{ end }}]{{ end }}.`, '[⟨depends on a⟩.'],
    [
      `${needs('a')}{{ range 2 }}[{{ if eq $.a "x" }}{{ range 2 }}{{ break }}{{ end }}{{ end }}]{{ end }}.`,
      '[⟨depends on a⟩][⟨depends on a⟩].',
    ],
    [
      `${needs('a')}{{ if true }}{{ $x := "1" }}{{ if .a }}{{ $x = "2" }}{{ end }}{{ $x }}{{ if eq $x "1" }}!{{ end }}{{ end }}`,
      '⟨depends on a⟩⟨a⟩⟨depends on a⟩',
    ],
    [
      `${needs('a')}{{ if true }}{{ $x := "1" }}{{ range 2 }}{{ $x = "2" }}{{ if $.a }}{{ continue }}{{ end }}{{ end }}{{ $x }}{{ end }}`,
      '⟨depends on a⟩⟨a⟩',
    ],
  ])('shows %s as %s, and guesses no branch', (template, text) => {
    expect(textOf(template, { b: 'B' })).toBe(text)
  })

  it('names what is missing: a required value that is empty, too, but none with a default', () => {
    const template = '{{ .a }}{{ .b | required "b" }}{{ .c | default "C" }}{{ .d }}{{ .e | required "e" }}'
    const { missing, text, places } = preview(template, { b: '', d: '', e: 'E' })
    expect([missing, text.toString()]).toEqual([['a', 'b'], '⟨a⟩⟨b⟩CE'])
    expect(places.map(({ names, ...rest }) => [...names, 'isPart' in rest])).toEqual([
      ['a', true],
      ['b', true],
      ['c', false],
      ['e', false],
    ])
  })

  it('knows the variables that it sets, will set and may set', () => {
    const template =
      '{{ .b | asenv "B" }}{{ .a | asenv "A" }}{{ if .a }}{{ .b | asenv "MAYBE" }}{{ asenv .b .a }}{{ end }}'
    const { env, unknownVariables, possibleVariables } = preview(template, { b: 'K' })
    expect([...env.keys()]).toEqual(['envvar:B'])
    expect([...unknownVariables]).toEqual(['envvar:A'])
    expect(possibleVariables).toEqual(['MAYBE', undefined])
  })

  it.each<[string, string]>([
    ['{{ .a }}{{ .b | pattern "^x$" }}', "pattern didn't match:^x$"],
    ['{{ .a }}{{ .b | type "number" }}', 'parameter b has to be a number'],
    ['{{ .a }}{{ if true }}{{ index .b 7 }}{{ end }}', 'index out of range'],
  ])('fails for %s as a run does', (template, message) => {
    expect(() => preview(template, { b: 'B' })).toThrow(TemplateError)
    expect(() => preview(template, { b: 'B' })).toThrow(message)
    expect(() => parseTemplate(template).render(new Map([['a', 'A'], ['b', 'B']]))).toThrow(message) // prettier-ignore
  })
})

/** Pieces of templates that are right by themselves, with parameters that may be missing. */
const PIECES = [
  ...['text ', '{{ .a }}', '{{ .b | required "b" }}', '{{ .a | shellquote }}', '{{ .c | default "C" }}'],
  ...['{{ .b | asenv "B" }}', '{{ if .a }}1{{ else }}2{{ end }}', '{{ with .b }}{{ . }}{{ end }}'],
  ...['{{ if eq .a "x" }}{{ .b }}{{ else if .b }}3{{ end }}', '{{ range . }}{{ . }}{{ end }}'],
  ...['{{ range $k, $v := . }}{{ if eq $k "b" }}{{ continue }}{{ end }}{{ $v }}{{ end }}'],
  ...[
    '{{ range 3 }}{{ if $.b }}{{ break }}{{ end }}x{{ end }}',
    '{{ if true }}{{ printf "%q" .a }}{{ end }}',
  ],
  ...[
    '{{ if true }}{{ $x := .a }}{{ if .b }}{{ $x = "y" }}{{ end }}{{ $x }}{{ end }}',
    '{{ range len $.a }}l{{ end }}',
  ],
  ...[
    '{{ if true }}{{ index . "a" | encodeb64 }}{{ slice $.b 0 }}{{ end }}',
    '{{ if true }}{{ print . }}{{ end }}',
  ],
]
/** Declares both parameters outside of blocks, so that no run can do without them. */
const anyTemplate = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 8 })
  .map((pieces) => `${needs('a')}${needs('b')}${pieces.join('')}`)
const anyValue = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
const anyValues = fc.record({ a: anyValue, b: anyValue, c: fc.string() })

describe('the preview of any template and any values', () => {
  test('is byte for byte what runs if no value is missing', () => {
    fc.assert(
      fc.property(anyTemplate, anyValues, (source, values) => {
        const template = parseTemplate(source)
        const parameters = new Map(Object.entries(values))
        const run = template.render(parameters)
        const shown = template.preview(parameters)
        expect(shown.missing).toEqual([])
        expect([shown.text, shown.env, shown.places]).toEqual([run.bytes, run.env, run.places])
      }),
    )
  })

  test('has placeholders if a value is missing, which no run has: a run is refused', () => {
    fc.assert(
      fc.property(anyTemplate, anyValues, fc.constantFrom('a', 'b'), (source, values, left) => {
        const template = parseTemplate(source)
        const parameters = new Map(Object.entries(values).filter(([name]) => name !== left))
        const { missing, places } = template.preview(parameters)
        expect(missing).toEqual([left])
        const names = places.flatMap((place) => ('isPart' in place ? place.names : []))
        expect(names.filter((name) => name !== left)).toEqual([])
        expect(() => template.render(parameters)).toThrow(`inputs are missing [${left}]`)
      }),
    )
  })

  test('differs from what runs later only in its gaps', () => {
    fc.assert(
      fc.property(anyTemplate, anyValues, fc.constantFrom('a', 'b'), (source, values, left) => {
        const template = parseTemplate(source)
        const all = new Map(Object.entries(values))
        const { text, places } = template.preview(new Map([...all].filter(([name]) => name !== left)))
        let from = 0
        const kept = places
          .filter((place) => 'isPart' in place)
          .map(({ start, end }) => {
            const piece = text.subarray(from, start)
            from = end
            return piece.toString('latin1')
          })
        const pieces = [...kept, text.subarray(from).toString('latin1')]
        const { bytes } = template.render(all)
        expect(hasInOrder(bytes.toString('latin1'), pieces)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

/** Whether a text begins with the first piece, ends with the last, and has the others between them in order. */
function hasInOrder(text: string, pieces: readonly string[]): boolean {
  const [first = '', ...others] = pieces
  const last = others.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const piece of others) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return text.length - last.length >= at && text.endsWith(last)
}
