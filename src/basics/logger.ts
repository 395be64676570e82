/** What agent and gateway log to: pino, or anything in a test. Fields never hold the values of variables. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A line that was logged, for code that passes it on. */
export interface LogLine {
  readonly time: Date
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  /** Plain JSON, after redaction. */
  readonly fields: Readonly<Record<string, unknown>>
}
