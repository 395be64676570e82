/** What agent and gateway log through; pino in the program, anything in a test. Fields never hold values of variables. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What was logged, for whoever passes it on. */
export interface LogLine {
  readonly time: Date
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  /** Plain JSON, after redaction. */
  readonly fields: Readonly<Record<string, unknown>>
}
