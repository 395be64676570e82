import * as v from 'valibot'
import type { BodyOf } from '../../contract/contract.ts'
import type { scheduleContract } from '../../contract/schedules.ts'
import { isCron, isTimeZone, nextTimes } from '../settings/due-times.ts'
import { buildSchedule, ScheduleShape, type ScheduleSettings } from '../settings/schedules.ts'

export type ScheduleDraft = BodyOf<typeof scheduleContract.foresee>

/** `field` is '' for a problem of the whole draft. */
interface DraftProblem {
  readonly field: string
  readonly message: string
}

/** Reads a draft. Reports the problems that the check of gateway.yaml would report. */
export function readDraft(
  draft: ScheduleDraft,
): { readonly schedule: ScheduleSettings } | { readonly problems: readonly DraftProblem[] } {
  const read = v.safeParse(ScheduleShape, { ...draft, parameters: { ...draft.parameters } })
  if (read.success) return { schedule: buildSchedule(read.output) }
  const problems = read.issues.map(({ path = [], message }) => {
    const field = path[0]?.key
    return { field: typeof field === 'string' ? field : '', message }
  })
  return { problems }
}

const SHOWN_TIMES = 3

/**
 * Returns the next times. The draft may be incomplete. Returns an empty list if the rule or the time zone is
 * wrong.
 */
export function nextOf(
  { cron, timezone }: Pick<ScheduleDraft, 'cron' | 'timezone'>,
  after: number,
): number[] {
  return isCron(cron) && isTimeZone(timezone) ? nextTimes({ cron, timezone }, after, SHOWN_TIMES) : []
}

/** @param isFirst true if gateway.yaml has no list of schedules yet */
export function formatDraft({ parameters, reason, ...draft }: ScheduleDraft, isFirst: boolean): string {
  const written = { ...draft, ...(reason !== '' && { reason }) }
  const facts = Object.entries(written).map(([name, value]) => `${name}: ${yamlText(value)}`)
  const values = Object.entries(parameters).map(([name, value]) => `  ${yamlText(name)}: ${yamlText(value)}`)
  const lines = [...facts, ...(values.length === 0 ? [] : ['parameters:', ...values])]
  const item = lines.map((line, at) => `${at === 0 ? '  - ' : '    '}${line}\n`).join('')
  return isFirst ? `schedules:\n${item}` : item
}

/** Words that need quotes in YAML, because YAML does not read them as texts. */
const WORDS = /^(?:null|true|false|yes|no|on|off)$/i

/** A simple word has no quotes. Other texts are in double quotes, with the escapes of JSON. */
function yamlText(text: string): string {
  const isBare = /^[A-Za-z][\w./@+-]*$/.test(text) && !WORDS.test(text)
  return isBare ? text : JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff]/g, escaped)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
