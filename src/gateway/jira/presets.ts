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

/** Connections have no tags here, so these fill nothing. hoop passes over them too, for the sessions of runbooks. */
const TAGS = 'session.connection_tags.'

export function jiraPreset(name: string): JiraPreset | undefined {
  return JIRA_PRESETS.find((preset) => preset === name)
}

/** Why no mapping can have this value; undefined when one can. */
export function presetProblem(name: string): string | undefined {
  if (jiraPreset(name) !== undefined || name.startsWith(TAGS)) return undefined
  const known = didYouMean(name.slice(0, 100), JIRA_PRESETS) ?? `there are ${JIRA_PRESETS.join(', ')}`
  return `the name of a preset is expected, ${known}`
}
