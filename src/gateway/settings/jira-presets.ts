import { didYouMean } from '../../basics/text/nearest.ts'

/** What a mapping of type `preset` can take from a session. */
const JIRA_PRESETS = [
  'session.id',
  'session.user_email',
  'session.user_id',
  'session.user_name',
  'session.type',
  'session.subtype',
  'session.connection',
  'session.status',
  'session.script',
  'session.start_date',
  'session.webapp_link',
] as const

export type JiraPreset = (typeof JIRA_PRESETS)[number]

/** Before the key of a tag of the connection. Without such a tag it fills nothing. */
const TAGS = 'session.connection_tags.'

export function jiraPreset(name: string): JiraPreset | undefined {
  return JIRA_PRESETS.find((preset) => preset === name)
}

/** The key of the tag that it takes. */
export function jiraTag(name: string): string | undefined {
  return name.startsWith(TAGS) ? name.slice(TAGS.length) : undefined
}

/** Why no mapping can have this value; undefined when one can. */
export function presetProblem(name: string): string | undefined {
  if (jiraPreset(name) !== undefined || name.startsWith(TAGS)) return undefined
  const known = didYouMean(name.slice(0, 100), JIRA_PRESETS) ?? `there are ${JIRA_PRESETS.join(', ')}`
  return `the name of a preset is expected, ${known}`
}
