import type { Logger } from '../../src/basics/logger.ts'

/** A logger whose lines can be read. */
export class Logbook implements Logger {
  readonly lines: { readonly level: string; readonly fields: object; readonly message: string }[] = []

  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', fields, message })
  }

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields, message })
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields, message })
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields, message })
  }

  /** Of one level, each as a line of text. */
  at(level: 'debug' | 'info' | 'warn' | 'error'): string[] {
    return this.lines
      .filter((line) => line.level === level)
      .map(({ fields, message }) => `${message} ${JSON.stringify(fields)}`)
  }
}
