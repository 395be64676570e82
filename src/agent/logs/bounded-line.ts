import type { LogLine } from '../../basics/logger.ts'

/** UTF-16 units of the message, and of each text in the fields; enough for the stack of a bug. */
const MAX_TEXT = 2000
/** For the whole line as JSON. */
const MAX_LINE_BYTES = 8 * 1024
/** What the packet adds: the time, the level, the names. */
const OVERHEAD_BYTES = 128

/** The line, cut to the limits, and its number of bytes as JSON. */
export function bounded({ time, level, message, fields }: LogLine): {
  readonly line: LogLine
  readonly bytes: number
} {
  const short = { time, level, message: cut(message), fields: cutFields(fields) }
  const bytes = bytesOf(short)
  if (bytes <= MAX_LINE_BYTES) return { line: short, bytes }
  const line = { ...short, fields: { leftOut: `fields of ${bytes} bytes` } }
  return { line, bytes: bytesOf(line) }
}

function bytesOf({ message, fields }: LogLine): number {
  return Buffer.byteLength(JSON.stringify([message, fields])) + OVERHEAD_BYTES
}

function cutFields(fields: LogLine['fields']): LogLine['fields'] {
  const json = JSON.stringify(fields, (_name, value: unknown) =>
    typeof value === 'string' ? cut(value) : value,
  )
  return JSON.parse(json) as LogLine['fields']
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)} [...]`
}
