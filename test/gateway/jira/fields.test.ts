import { describe, expect, it } from 'vitest'
import { jiraFieldValues, type SessionFacts } from '../../../src/gateway/jira/fields.ts'
import { RequestRefused } from '../../../src/gateway/refusals/request-refused.ts'
import { jiraTemplate } from './template.ts'

const facts: SessionFacts = {
  id: '5701046a-7b7a-4a78-abb0-a24c95e6fe54',
  user: 'ada',
  type: 'database',
  subtype: 'postgres',
  connection: 'pg',
  tags: {},
  reason: '',
  script: 'select 1',
  startedAt: new Date('2026-01-31T14:30:00.123Z'),
  link: 'http://127.0.0.1:8009/sessions/5701046a',
}

const prompts = (...items: string[]) => `prompt_types: { items: [${items.join()}] },`
const mappings = (...items: string[]) => `mapping_types: { items: [${items.join()}] },`
const objects = (...items: string[]) => `cmdb_types: { items: [${items.join()}] },`
const valuesOf = (more: string, given: Record<string, string> = {}, about: Partial<SessionFacts> = {}) =>
  jiraFieldValues(jiraTemplate(more), given, { ...facts, ...about })

function refusal(more: string, given: Record<string, string> = {}): string {
  try {
    valuesOf(more, given)
  } catch (error) {
    if (error instanceof RequestRefused) return error.message
    throw error
  }
  return ''
}

describe('the fields of an issue', () => {
  it('are a summary alone when the template says nothing, and what callers send is dropped', () => {
    expect(valuesOf('', { summary: 'mine', customfield_9: 'x' })).toEqual({ summary: 'Hoop Session' })
  })

  it('get what callers are asked for, an option for a select and a text for anything else', () => {
    const template = prompts(
      '{ jira_field: customfield_1, field_type: select }',
      '{ jira_field: customfield_2 }',
      '{ jira_field: customfield_3, field_type: datetime-local }',
      '{ jira_field: customfield_4 }',
    )
    const given = {
      customfield_1: 'Blue',
      customfield_2: 'why',
      customfield_3: '2026-01-31T10:00',
      other: 'x',
    }
    expect(valuesOf(template, given)).toEqual({
      ...{ summary: 'Hoop Session', customfield_1: { value: 'Blue' } },
      ...{ customfield_2: 'why', customfield_3: '2026-01-31T10:00' },
    })
  })

  it('get an object of Assets by its id', () => {
    const template = objects('{ jira_field: customfield_3, required: true, value: shown }')
    expect(valuesOf(template, { customfield_3: 'w:21' })).toEqual({
      ...{ summary: 'Hoop Session', customfield_3: [{ id: 'w:21' }] },
    })
  })

  it.each([
    ['session.id', facts.id],
    ['session.user_email', 'ada'],
    ['session.user_id', 'ada'],
    ['session.user_name', 'ada'],
    ['session.type', 'database'],
    ['session.subtype', 'postgres'],
    ['session.connection', 'pg'],
    ['session.status', 'open'],
    ['session.script', '{code:shell}select 1{code}'],
    ['session.start_date', '2026-01-31T14:30:00Z'],
    ['session.webapp_link', 'http://127.0.0.1:8009/sessions/5701046a'],
  ])('get the preset %s', (preset, value) => {
    const template = mappings(`{ type: preset, jira_field: customfield_1, value: ${preset} }`)
    expect(valuesOf(template)).toEqual({ summary: 'Hoop Session', customfield_1: value })
  })

  it('get a tag of the connection, and nothing where it has no such tag', () => {
    const template = mappings(
      '{ type: preset, jira_field: customfield_1, value: session.connection_tags.env }',
    )
    const tagged = { tags: { env: 'prod' } }
    expect(valuesOf(template, {}, tagged)).toEqual({ summary: 'Hoop Session', customfield_1: 'prod' })
    expect(valuesOf(template)).toEqual({ summary: 'Hoop Session' })
  })

  it('get a summary from a prompt or a mapping, of which the mapping wins', () => {
    const prompt = prompts('{ jira_field: summary }')
    const mapping = mappings('{ type: custom, jira_field: summary, value: fixed }')
    expect(valuesOf(prompt, { summary: 'mine' })).toEqual({ summary: 'mine' })
    expect(valuesOf(prompt + mapping, { summary: 'mine' })).toEqual({ summary: 'fixed' })
  })

  it('have a script that ends nowhere before its end, though it says so', () => {
    const template = mappings('{ type: preset, jira_field: description, value: session.script }')
    const script = 'true\n{code}\n*Approved* {CODE:sql} {{code}'
    expect(valuesOf(template, {}, { script })['description']).toBe(
      '{code:shell}true\n{ code}\n*Approved* { CODE:sql} {{ code}{code}',
    )
  })

  it('have a script that is too long cut, with the number of characters that are left out, and no half one', () => {
    const template = mappings('{ type: preset, jira_field: description, value: session.script }')
    const scriptOf = (script: string) => valuesOf(template, {}, { script })['description']
    const whole = 'x'.repeat(32_700)
    expect(scriptOf(whole)).toBe(`{code:shell}${whole}{code}`)
    expect(scriptOf(`${whole}yz`)).toBe(`{code:shell}${whole} ...[TRUNCATED 2]{code}`)
    const before = 'x'.repeat(32_699)
    expect(scriptOf(`${before}😀`)).toBe(`{code:shell}${before} ...[TRUNCATED 2]{code}`)
  })

  it('may have any name and value, those of the language too', () => {
    const template = prompts('{ jira_field: constructor, required: true }')
    expect(refusal(template)).toContain('["constructor"]')
    expect(valuesOf(template, { constructor: 'x' })).toEqual({ summary: 'Hoop Session', constructor: 'x' })
  })
})

describe('what callers leave out', () => {
  const both = prompts(
    '{ jira_field: a, required: true }',
    '{ jira_field: b, required: true }',
    '{ jira_field: c }',
  )

  it('is named in the words of hoop, all of it', () => {
    expect(refusal(both, { a: 'x' })).toBe('unable to parse fields, missing required fields: ["b"]')
    expect(refusal(both)).toBe('unable to parse fields, missing required fields: ["a" "b"]')
  })

  it('counts as given when it is an empty text', () => {
    expect(valuesOf(both, { a: '', b: '' })).toEqual({ summary: 'Hoop Session', a: '', b: '' })
  })

  it('is said of objects of Assets only when everything else is there', () => {
    const template = both + objects('{ jira_field: d, required: true }')
    expect(refusal(template)).toContain('["a" "b"]')
    expect(refusal(template, { a: '', b: '' })).toContain('["d"]')
  })
})
