import { printableText } from '../../../basics/text/printable.ts'
import { durationText } from '../../../basics/text/units.ts'
import type { Parameter } from '../../../client/rest/runbooks.ts'
import type { RecordedSession } from '../../../client/rest/sessions.ts'

/** Returns `2026-01-31 14:30:00` in this machine's time zone. Returns an empty text for an invalid time. */
export function moment(text: string): string {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) return ''
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 19).replace('T', ' ')
}

/** Returns the time as `01-31 14:30`, or `2025-01-31` for another year. */
export function shortMoment(text: string): string {
  const whole = moment(text)
  const isOfThisYear = whole.slice(0, 4) === moment(new Date().toISOString()).slice(0, 4)
  return isOfThisYear ? whole.slice(5, 16) : whole.slice(0, 10)
}

/** Returns an empty text until the command has ended, and if its beginning is unknown. */
export function took(beganAt: string, endedAt: string | undefined): string {
  const ms = Date.parse(endedAt ?? '') - Date.parse(beganAt)
  if (!(ms >= 0)) return ''
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)}s` : durationText(ms / 1000)
}

/** Returns, for example, `whom to greet (number, one of 1, 2, may be empty)`. */
export function describeParameter(parameter: Parameter): string {
  const {
    description,
    type,
    options,
    optionsFrom,
    required,
    pattern,
    placeholder,
    default: proposed,
  } = parameter
  const facts = [
    type === 'text' ? '' : type,
    options.length === 0 ? '' : `one of ${options.join(', ')}`,
    optionsFrom === undefined ? '' : `a value of ${optionsFrom.list}`,
    pattern === undefined ? '' : `matches ${pattern}`,
    lengths(parameter),
    placeholder === '' ? '' : `such as ${placeholder}`,
    proposed === undefined ? '' : `default ${proposed}`,
    required || proposed !== undefined ? '' : 'may be empty',
  ].filter((fact) => fact !== '')
  return [description, facts.length === 0 ? '' : `(${facts.join(', ')})`].filter(Boolean).join(' ')
}

function lengths({ minLength, maxLength }: Parameter): string {
  if (minLength === undefined) return maxLength === undefined ? '' : `${maxLength} characters at most`
  return maxLength === undefined
    ? `${minLength} characters at least`
    : `${minLength} to ${maxLength} characters`
}

/** Returns `1 connection`, `12 connections`. */
export function connectionCount(count: number): string {
  return `${count} ${count === 1 ? 'connection' : 'connections'}`
}

/** Returns an empty line and then the indented script. Returns an empty text if there is no script. */
export function scriptText({ script }: Pick<RecordedSession, 'script'>, most = Infinity): string {
  const { data = '' } = script ?? {}
  if (data === '') return ''
  return `\n${indented(data.replace(/\n$/, ''), most)}`
}

/** Returns the lines of the text, each indented by two spaces. */
export function indented(text: string, most = Infinity): string {
  const lines = printableText(text).split('\n')
  const more = lines.length > most ? [`... and ${lines.length - most} more lines (--json shows all)`] : []
  return [...lines.slice(0, most), ...more].map((line) => `  ${line}\n`).join('')
}
