import { describe, expect, test } from 'vitest'
import {
  MAX_RENDERED_BYTES,
  MAX_TEMPLATE_BYTES,
  MAX_TEMPLATE_DEPTH,
  MAX_TOKENS,
  MAX_WORK,
  WORK_PER_NODE,
} from '../../../src/golang/template/errors.ts'
import { matches } from '../../../src/golang/template/run/pattern.ts'
import { MAX_PATTERN_BYTES } from '../../../src/golang/text/regexp.ts'
import { parseTemplate, TemplateError } from '../../../src/template/runbook.ts'

function outcome(template: string, parameters: Readonly<Record<string, string>> = { x: '1' }): string {
  try {
    return parseTemplate(template)
      .render(new Map(Object.entries(parameters)))
      .bytes.toString()
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return `${error.stage}: ${error.message}`
  }
}

/** A template of nearly the largest size, made of one piece again and again. */
function filled(piece: string, before = '', after = ''): string {
  const room = MAX_TEMPLATE_BYTES - Buffer.byteLength(before + after)
  return before + piece.repeat(Math.floor(room / Buffer.byteLength(piece))) + after
}

const MANY = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`p${n}`, '']))
const IN_BLOCK = '{{ if .x }}'
const TOO_MUCH_WORK = 'render: the template needs too much work to render; shorten its loops or values'

describe('a template', () => {
  test('may have a million bytes and not one more', () => {
    const largest = 'é'.repeat(MAX_TEMPLATE_BYTES / 2)
    expect(outcome(largest)).toBe(largest)
    expect(outcome(`${largest}a`)).toBe('parse: the template has 1000001 bytes, maximum is 1000000')
  })

  test('may have so many words and texts and not one more', () => {
    // A delimiter, a field, a delimiter each, and the end.
    const actions = (count: number) => '{{.x}}'.repeat(count)
    expect(outcome(actions(Math.floor((MAX_TOKENS - 1) / 3)), { x: '' })).toBe('')
    expect(outcome(actions(Math.ceil(MAX_TOKENS / 3)), { x: '' })).toBe(
      'parse: the template has more than 100000 words and texts; shorten the template',
    )
  })

  // Each of these takes minutes when some step is quadratic in the size of the template.
  test.each([
    ['text', filled('a b\n')],
    ['actions', filled('{{.x}}')],
    ['actions on one line and an error at its end', filled('{{.x}}', '', '{{ nosuch }}')],
    ['lines and an error on the last', filled('{{.x}}\n', IN_BLOCK, '{{ squote 1 }}{{ end }}')],
    ['declared variables', filled('{{$a:=.x}}{{$}}', IN_BLOCK, '{{ end }}')],
    ['assigned variables', filled('{{$a = 1}}', `${IN_BLOCK}{{$a := 1}}`, '{{ end }}')],
    ['an escaped string', filled('\\n', '{{ .x | description "', '" }}')],
    ['a raw string', filled('\n', '{{ .x | description `', '` }}')],
    ['arguments', filled(' "a"', '{{ .x | options', ' }}')],
    ['functions in a pipeline', filled(' | type "a"', '{{ .x', ' }}')],
    ['white space in an action', filled(' ', '{{ .x', '}}')],
    ['trimmed white space', filled(' {{- .x -}} ')],
    ['comments', filled('{{/* c */}}')],
    ['else if', filled('{{else if .e}}', '{{ if .e }}', '{{ end }}')],
    ['fields', filled('.a', '{{ if .e', ' }}{{ end }}')],
    ['blocks', filled('{{if .x}}a{{end}}')],
    ['ranges', filled('{{range 1}}a{{end}}')],
    ['inputs', Array.from({ length: 50_000 }, (_, index) => `{{.input${index}}}`).join('')],
  ])('of a million bytes is read and rendered: %s', (_name, template) => {
    expect(outcome(template)).toBeTypeOf('string')
  })

  test.each([
    ['digits', filled('1', '{{ if ', ' }}{{ end }}'), 'illegal number syntax'],
    ['digits and an exponent without any', filled('1', '{{ if ', 'e }}{{ end }}'), 'illegal number syntax'],
    ['underscores', filled('_', '{{ if 1', ' }}{{ end }}'), 'illegal number syntax'],
    ['a name', filled('a', '{{ .x | ', ' }}'), 'not defined'],
    ['a string without an end', filled('a', '{{ .x | print "'), 'unterminated quoted string'],
    ['parentheses', filled('(', '{{ .x | print '), 'max expression depth exceeded'],
    ['blocks without an end', filled('{{if .x}}'), 'nested more than 200 levels deep'],
  ])('of a million bytes is refused: %s', (_name, template, message) => {
    expect(outcome(template)).toContain(message)
  })

  test.each([
    ['blocks', '{{ if .x }}', 'a', '{{ end }}'],
    ['with blocks', '{{ with $.x }}', 'a', '{{ end }}'],
    ['ranges', '{{ range 1 }}', 'a', '{{ end }}'],
  ])('may nest %s up to the limit', (_name, open, inner, close) => {
    const nested = (depth: number) => open.repeat(depth) + inner + close.repeat(depth)
    expect(outcome(nested(MAX_TEMPLATE_DEPTH))).toBe('a')
    expect(outcome(nested(MAX_TEMPLATE_DEPTH + 1))).toBe(
      `parse: template: :1: blocks are nested more than ${MAX_TEMPLATE_DEPTH} levels deep`,
    )
  })

  test('may nest parentheses up to the limit', () => {
    const nested = (depth: number) => `{{ .x | print ${'('.repeat(depth)}2${')'.repeat(depth)} }}`
    expect(outcome(nested(MAX_TEMPLATE_DEPTH))).toBe('21')
    expect(outcome(nested(MAX_TEMPLATE_DEPTH + 1))).toBe('parse: template: :1: max expression depth exceeded')
  })

  test('may have more branches in a row than blocks may be deep', () => {
    const branches = Array.from({ length: 5000 }, (_, index) => `{{ else if eq .x "${index}" }}${index}`)
    expect(outcome(`{{ if .e }}${branches.join('')}{{ end }}`, { x: '4321' })).toBe('4321')
  })
})

describe('a rendering', () => {
  test('may write 16 MiB and not one byte more', () => {
    const value = 'a'.repeat(1024)
    const times = MAX_RENDERED_BYTES / value.length
    expect(outcome(`{{ range ${times} }}{{ $.x }}{{ end }}`, { x: value })).toHaveLength(MAX_RENDERED_BYTES)
    expect(outcome(`{{ range ${times} }}{{ $.x }}{{ end }}.`, { x: value })).toBe(
      `render: the rendered text is longer than ${MAX_RENDERED_BYTES} bytes`,
    )
  })

  test.each([
    ['an empty loop without an end', '{{ range 9223372036854775807 }}{{ end }}'],
    ['loops in loops', '{{ range 10000 }}{{ range 10000 }}{{ range 10000 }}{{ end }}{{ end }}{{ end }}'],
    ['a loop over many parameters', '{{ range 1000000000 }}{{ range $ }}{{ end }}{{ end }}'],
    [
      'long results thrown away',
      `${IN_BLOCK}{{ range 100000 }}{{ $v := printf "%999999d" 1 }}{{ end }}{{ end }}`,
    ],
    [
      'a pattern on a long value again and again',
      '{{ range 1000000 }}{{ $v := $.big | pattern "[ab]$" }}{{ end }}',
    ],
    ['all parameters shown again and again', '{{ range 1000000 }}{{ $ }}{{ end }}'],
    ['a short pattern again and again', '{{ range 1000000 }}{{ $v := $.x | pattern "1" }}{{ end }}'],
    [
      'new patterns again and again',
      Array.from({ length: 5000 }, (_, n) => `{{ .x | pattern "1|${n}" }}`).join(''),
    ],
    [
      'a format of many verbs again and again',
      `{{ range 1000000 }}{{ $v := printf "${'%[1]d'.repeat(10_000)}" 1 }}{{ end }}`,
    ],
    ['all parameters printed again and again', '{{ range 1000000 }}{{ $v := print $ }}{{ end }}'],
  ])('ends when it does too much work: %s', (_name, template) => {
    expect(outcome(template, { x: '1', big: 'ab'.repeat(50_000), ...MANY })).toBe(TOO_MUCH_WORK)
  })

  // Steps are counted, so that it ends at the same turn on every machine: a turn, a statement, a command, its operands.
  test.each([
    ['an empty turn', '', 1],
    ['an assignment', '{{ $a := . }}', 4],
    ['a comparison with eight others', '{{ if eq . -1 -2 -3 -4 -5 -6 -7 -8 }}{{ end }}', 12],
    ['a field of a field of nothing', '{{ $a := $.e.a.b.c.d }}', 8],
    ['options, which do nothing', '{{ $a := options "1" "2" "3" "4" }}', 7],
  ])('counts every step of %s', (_name, body, steps) => {
    const turns = Math.floor(MAX_WORK / WORK_PER_NODE / steps)
    const template = (count: number) => `{{ range ${count} }}${body}{{ end }}`
    expect(outcome(template(Math.floor(turns * 0.9)))).toBe('')
    expect(outcome(template(Math.ceil(turns * 1.1)))).toBe(TOO_MUCH_WORK)
  })

  test('counts what patterns do: with their size, and with the length of the value', () => {
    const workOf = (expression: string, value: string) => {
      let work = 0
      matches(expression, value, {
        environment: new Map(),
        unknownVariables: new Set(),
        patterns: new Map(),
        charge: (more) => (work += more),
      })
      return work
    }
    const value = 'a'.repeat(100_000)
    expect(workOf('a', value) - workOf('a', '')).toBeGreaterThan(8 * value.length)
    expect(workOf('^(a?){100}a{100}$', value)).toBeGreaterThan(100 * value.length)
    expect(workOf('\\pL'.repeat(50), '')).toBeGreaterThan(MAX_WORK / 40)
  })

  test('ends when a value grows too long', () => {
    const value = 'a'.repeat(MAX_RENDERED_BYTES / 2 + 1)
    expect(outcome(`${IN_BLOCK}{{ $v := print .x .x }}{{ end }}`, { x: value })).toContain(
      `error calling print: the result is longer than ${MAX_RENDERED_BYTES} bytes`,
    )
  })

  test('ends when one format asks for too much', () => {
    const format = '%[1]*[2]d'.repeat(1000)
    expect(outcome(`${IN_BLOCK}{{ $v := printf "${format}" 999999 7 }}{{ end }}`)).toContain(
      `error calling printf: the result is longer than ${MAX_RENDERED_BYTES} bytes`,
    )
  })

  test('does a lot of honest work', () => {
    const value = "it's ".repeat(100_000)
    const template =
      '{{ .x | required "r" | type "textarea" | description "d" | pattern "^[^\\\\x00]*$" | squote }}'
    expect(outcome(template.repeat(4), { x: value })).toHaveLength(4 * (value.length + 2))
  })
})

describe('a pattern', () => {
  test('takes linear time where others take exponential time', () => {
    const value = `${'a'.repeat(100_000)}b`
    for (const pattern of ['^(a+)+$', '^(a|aa)+$', '^(a*)*$', '^(.*a){20}$']) {
      expect(outcome(`{{ .x | pattern "${pattern}" }}`, { x: value })).toContain(
        `pattern didn't match:${pattern}`,
      )
    }
  })

  test('is refused when it is too long', () => {
    const pattern = 'a'.repeat(MAX_PATTERN_BYTES)
    expect(outcome(`{{ .x | pattern "${pattern}|1" }}`)).toContain(
      `error calling pattern: regexp error: the pattern is longer than ${MAX_PATTERN_BYTES} bytes`,
    )
    expect(outcome(`{{ .x | pattern "${pattern}" }}`)).toContain("pattern didn't match")
  })

  test.each([
    ['x{1000}', 100],
    ['(?:a{30}){30}', 300],
    ['(?i)\\p{L}{900}', 60],
  ])('%s, %i times, is refused before it is compiled, which would take seconds', (part, times) => {
    expect(outcome(`{{ .x | pattern "${part.replaceAll('\\', '\\\\').repeat(times)}" }}`)).toContain(
      'regexp error: the repetitions of the pattern make it too large',
    )
  })

  test('may repeat as input checks do', () => {
    expect(outcome('{{ .x | pattern "^([a-z]{1,63}[.]){1,8}[a-z]{2,63}$" }}')).toContain(
      "pattern didn't match",
    )
  })

  test('may be nested too deeply to be compiled', () => {
    const pattern = `${'('.repeat(2000)}a${')'.repeat(2000)}`
    expect(outcome(`{{ .x | pattern "${pattern}" }}`)).toContain(
      'regexp error: error parsing regexp: expression nests too deeply',
    )
  })
})
