/** What agent and gateway log to: pino, or anything in a test. Fields never hold the values of variables. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** A line that was logged, for code that passes it on. */
export interface LogLine {
  readonly time: Date
  readonly level: (typeof LEVELS)[number]
  readonly message: string
  /** Plain JSON, after redaction. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Takes apart a line of the log. When a name occurs twice the last one counts, as for every JSON reader. */
export function parseLogLine(json: string): LogLine {
  const { level, timestamp, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const time = new Date(typeof timestamp === 'string' ? timestamp : NaN)
  return {
    time: Number.isNaN(time.getTime()) ? new Date() : time,
    level: LEVELS.find((known) => known === level) ?? 'info',
    message: typeof msg === 'string' ? msg : '',
    fields,
  }
}
