/** What agent and gateway log through; pino in the program, anything in a test. Fields never hold values of variables. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
