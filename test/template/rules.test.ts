import { describe, expect, test } from 'vitest'
import { parseTemplate, TemplateError } from '../../src/template/runbook.ts'

function outcome(template: string, parameters: Readonly<Record<string, string>>): string {
  try {
    return parseTemplate(template)
      .render(new Map(Object.entries(parameters)))
      .bytes.toString()
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return `${error.stage}: ${error.message}`
  }
}

describe('what a template declares of a parameter', () => {
  test.each([
    ['type "number"', '1; id', 'has to be a number'],
    ['type "date"', '2026-02-30', 'has to be a date such as 2026-01-31'],
    ['type "time"', '25:00', 'has to be a time such as 14:30'],
    ['type "url"', 'no url', 'has to be a URL such as https://example.com'],
    ['type "url"', 'https://example.com/\n$(id)', 'has to be a URL such as https://example.com'],
    ['type "email"', 'nobody', 'has to be an email address'],
    ['type "email"', '$(id)@b.c', 'has to be an email address'],
    ['type "email"', '-x@b.c', 'has to be an email address'],
    ['type "email"', 'a@b.c\n', 'has to be an email address'],
    ['options "active" "idle"', "idle' or 1=1", 'has to be one of active, idle'],
    ['minlength "3"', 'ab', 'needs at least 3 characters'],
    ['maxlength "3"', 'abcd', 'may have at most 3 characters'],
    ['type "password" | minlength "8"', 'secret', 'needs at least 8 characters'],
  ])('is enforced: %s', (declared, value, words) => {
    const message = outcome(`{{ .x | ${declared} }}`, { x: value })
    expect(message).toBe(`parameters: parameter x ${words}`)
    expect(message).not.toContain(value)
  })

  test.each([
    ['type "number"', '-1.5e3'],
    ['type "number"', '007'],
    ['type "date"', '2026-02-28'],
    ['options "active" "idle"', 'idle'],
    ['maxlength "2"', '\u{1f600}\u{1f600}'],
    ['minlength "many" | maxlength "-1"', 'x'],
    ['type "url"', 'https://müller.example/a%20b?c=d&e=(f)#g'],
    ['type "email"', 'ada.lovelace+list=x@mail-1.example.com'],
    ['type "email"', 'root@localhost'],
    ['type "email"', 'jürgen@müller.example'],
    ['type "tel"', 'anything'],
    ['type "nonsense"', 'anything'],
    ['options', 'anything'],
  ])('lets through what keeps to it: %s with %s', (declared, value) => {
    expect(outcome(`{{ .x | ${declared} }}`, { x: value })).toBe(value)
  })

  test('is for given values: an empty one, and the default itself, are the author’s to decide about', () => {
    const template = '{{ .x | type "number" | minlength "9" | default "none" }}'
    expect(outcome(template, {})).toBe('none')
    expect(outcome(template, { x: '' })).toBe('none')
    expect(outcome(template, { x: 'none' })).toBe('none')
    expect(outcome(template, { x: 'other' })).toContain('parameter x needs')
  })

  test('counts where it stands: in each action, whatever was done to the value before', () => {
    expect(outcome('{{ .x | type "number" }}{{ .x }}', { x: 'id' })).toContain(
      'parameter x has to be a number',
    )
    expect(outcome('{{ .x }}{{ .x | type "number" }}', { x: 'id' })).toContain(
      'parameter x has to be a number',
    )
    expect(outcome('{{ .x | squote | options "a" "b" }}', { x: 'a' })).toBe("'a'")
  })

  test('names the first options only: a list may be long', () => {
    const options = Array.from({ length: 100 }, (_, number) => `"o${number}"`).join(' ')
    expect(outcome(`{{ .x | options ${options} }}`, { x: 'no' })).toMatch(/o19, or 80 others$/)
  })

  test('comes after what is missing, and before what the template itself refuses', () => {
    const template = '{{ .x | type "number" | pattern "^1$" }}{{ .y }}'
    expect(outcome(template, { x: 'a' })).toBe('parameters: the following inputs are missing [y]')
    expect(outcome(template, { x: 'a', y: '' })).toContain('has to be a number')
    expect(outcome(template, { x: '2', y: '' })).toContain("pattern didn't match:^1$")
  })
})
