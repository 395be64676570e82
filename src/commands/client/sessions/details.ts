import { printableText } from '../../../basics/text/printable.ts'
import type { RecordedSession } from '../../../client/rest/sessions.ts'
import { sizeText } from '../../../basics/text/units.ts'
import { factLines } from '../asking/asking.ts'
import { moment, took } from '../report/words.ts'
import { stateText, codeText, placeText } from './table.ts'

/** Most lines of the script that are shown: a script may have megabytes. `--json` shows all of it. */
const SCRIPT_LINES = 40

/** A session for people: one fact a line, then the script. */
export function sessionDetails(session: RecordedSession): string {
  const { startedAt, endedAt } = session
  const lines: [string, string][] = [
    ['session', session.id],
    ['connection', placeText(session)],
    ['user', session.user],
    ['verb', session.verb],
    ['status', stateText(session) ?? session.status],
    ['review', session.review ?? ''],
    ['exit code', codeText(session)],
    ['started', moment(startedAt)],
    ['ended', endedAt === undefined ? '' : moment(endedAt)],
    ['took', took(startedAt, endedAt)],
    ['output', sizeText(session.outputBytes)],
    ...texts(session, 'labels'),
    ...texts(session, 'metadata'),
    ...text(session, 'correlation_id', 'correlation'),
  ]
  return `${factLines(lines)}${scriptOf(session)}`
}

function field({ raw }: RecordedSession, name: string): unknown {
  return (raw as Readonly<Record<string, unknown>>)[name]
}

function text(session: RecordedSession, name: string, shown: string): [string, string][] {
  const value = field(session, name)
  return typeof value === 'string' ? [[shown, value]] : []
}

function texts(session: RecordedSession, name: string): [string, string][] {
  const value = field(session, name)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).map(([key, content]) => [
    key,
    typeof content === 'string' ? content : JSON.stringify(content),
  ])
}

function scriptOf(session: RecordedSession): string {
  const script = field(session, 'script')
  const data = typeof script === 'object' && script !== null && 'data' in script ? script.data : ''
  if (typeof data !== 'string' || data === '') return ''
  const lines = printableText(data.replace(/\n$/, '')).split('\n')
  const more =
    lines.length > SCRIPT_LINES ? [`... and ${lines.length - SCRIPT_LINES} lines more (--json)`] : []
  return `\n${[...lines.slice(0, SCRIPT_LINES), ...more].map((line) => `  ${line}\n`).join('')}`
}
