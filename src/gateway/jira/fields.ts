import { refused } from '../refusals/request-refused.ts'
import { goQuote } from '../../golang/text/quote.ts'
import { type JiraTemplate, jiraPreset, jiraTag, type JiraPreset } from '../settings/jira.ts'
import type { Tags } from '../settings/connections.ts'

export interface SessionFacts {
  readonly id: string
  readonly user: string
  readonly type: string
  readonly subtype: string
  readonly connection: string
  readonly tags: Tags
  /** The script. Its secrets are replaced, because everybody who sees the issue can read it. */
  readonly script: string
  /** Why the user asked, with secrets replaced; empty if the user gave no reason. */
  readonly reason: string
  readonly startedAt: Date
  /** Address of the session's page. */
  readonly link: string
}

type Given = Readonly<Record<string, string>>
type FieldValue = string | { readonly value: string } | readonly { readonly id: string }[]

/** The field `requestFieldValues` of Jira's request for an issue. */
export type JiraFieldValues = Readonly<Record<string, FieldValue>>

const NO_REASON = 'no reason'
const SUMMARY = 'Hoop Session'
/** Maximum number of characters of a script. Jira accepts 32767 characters in a field. */
const MAX_CHARACTERS = 32_700

/**
 * Returns the values of the fields. Takes the prompts first, then the mappings, then the objects. A
 * later value of a field replaces an earlier value.
 * @throws RequestRefused if the caller has left out a required field
 */
export function jiraFieldValues(template: JiraTemplate, given: Given, facts: SessionFacts): JiraFieldValues {
  const prompts = promptValues(template, given)
  const objects = () => objectValues(template, given)
  return Object.fromEntries([
    ['summary', SUMMARY],
    ...prompts,
    ...mappedValues(template, facts),
    ...objects(),
  ])
}

type Entries = readonly (readonly [field: string, value: FieldValue])[]

function promptValues({ prompt_types: { items } }: JiraTemplate, given: Given): Entries {
  checkThere(items, given)
  return items.flatMap(({ jira_field: field, field_type: type }) => {
    const value = valueOf(given, field)
    if (value === undefined) return []
    return [[field, type === 'select' ? { value } : value] as const]
  })
}

function mappedValues({ mapping_types: { items } }: JiraTemplate, facts: SessionFacts): Entries {
  return items.flatMap(({ jira_field: field, type, value }) => {
    if (type === 'custom') return [[field, value] as const]
    const preset = jiraPreset(value)
    const fact = preset === undefined ? tagOf(facts, value) : PRESETS[preset](facts)
    return fact === undefined ? [] : [[field, fact] as const]
  })
}

function tagOf({ tags }: SessionFacts, preset: string): string | undefined {
  const key = jiraTag(preset)
  return key !== undefined && Object.hasOwn(tags, key) ? tags[key] : undefined
}

function objectValues({ cmdb_types: { items } }: JiraTemplate, given: Given): Entries {
  checkThere(items, given)
  return items.flatMap(({ jira_field: field }) => {
    const id = valueOf(given, field)
    return id === undefined ? [] : [[field, [{ id }]] as const]
  })
}

/**
 * Checks the required fields. As in hoop, an empty text is a value.
 * @throws RequestRefused if a required field is missing
 */
function checkThere(
  items: readonly { readonly jira_field: string; readonly required: boolean }[],
  given: Given,
): void {
  const missing = items.filter(
    ({ jira_field: field, required }) => required && valueOf(given, field) === undefined,
  )
  if (missing.length === 0) return
  const names = missing.map(({ jira_field: field }) => goQuote(field))
  throw refused('invalid-jira-fields', { fields: names.join(' ') })
}

function valueOf(given: Given, field: string): string | undefined {
  return Object.hasOwn(given, field) ? given[field] : undefined
}

const PRESETS: Readonly<Record<JiraPreset, (facts: SessionFacts) => string>> = {
  'session.id': ({ id }) => id,
  // Users of this gateway have only names.
  'session.user_email': ({ user }) => user,
  'session.user_id': ({ user }) => user,
  'session.user_name': ({ user }) => user,
  'session.type': ({ type }) => type,
  'session.subtype': ({ subtype }) => subtype,
  'session.connection': ({ connection }) => connection,
  'session.status': () => 'open',
  'session.script': ({ script }) => codeBlock(script),
  'session.reason': ({ reason }) => plainBlock(reason),
  'session.start_date': ({ startedAt }) => startedAt.toISOString().replace(/\.\d+Z$/, 'Z'),
  'session.webapp_link': ({ link }) => link,
}

/**
 * Puts the script into a code block of Jira. `{code` in the script would end the block early, and Jira would
 * show the rest as text and links. So a space is inserted.
 */
function codeBlock(script: string): string {
  return `{code:shell}${shortened(script.replace(/\{(?=code)/gi, '{ '))}{code}`
}

/** Puts the reason into a block in which Jira reads no links, mentions or macros. */
function plainBlock(reason: string): string {
  return reason === '' ? NO_REASON : `{noformat}${reason.replace(/\{(?=noformat)/gi, '{ ')}{noformat}`
}

function shortened(script: string): string {
  if (script.length <= MAX_CHARACTERS) return script
  // The cut must not split a surrogate pair.
  const kept = script.slice(0, MAX_CHARACTERS).replace(/[\ud800-\udbff]$/, '')
  return `${kept} ...[TRUNCATED ${script.length - kept.length}]`
}
