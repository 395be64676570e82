/** Where the gateway writes its log lines; pino's shape, so that only `log.ts` knows pino. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
