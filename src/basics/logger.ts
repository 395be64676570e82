/** pino, or another object in a test. Fields never contain the values of variables. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Returns a logger that adds the fields to each line. */
export function withFields(log: Logger, fields: object): Logger {
  return {
    debug: (more, message) => log.debug({ ...fields, ...more }, message),
    info: (more, message) => log.info({ ...fields, ...more }, message),
    warn: (more, message) => log.warn({ ...fields, ...more }, message),
    error: (more, message) => log.error({ ...fields, ...more }, message),
  }
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** A logged line, for code that passes log lines on. */
export interface LogLine {
  readonly time: Date
  readonly level: (typeof LEVELS)[number]
  readonly message: string
  /** Plain JSON, after redaction. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** If a name occurs twice, the last value counts, as in every JSON parser. */
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

const MINUTE_MS = 60_000
/**
 * Maximum number of different warnings per minute. Callers choose a part of the text. Without the limit, they
 * could cause any number of different warnings.
 */
const MAX_KINDS = 20

interface Kind {
  readonly fields: object
  readonly message: string
  repeats: number
}

/** Limits warnings that callers can cause at will. Logs each kind once, and its count after a minute. */
export class RepeatedWarnings {
  readonly #log: Pick<Logger, 'warn'>
  readonly #kinds = new Map<string, Kind>()
  #others = 0

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log
  }

  warn(fields: object, message: string): void {
    const name = JSON.stringify([message, fields])
    const known = this.#kinds.get(name)
    if (known !== undefined) {
      known.repeats++
    } else if (this.#kinds.size >= MAX_KINDS) {
      this.#others++
    } else {
      if (this.#kinds.size === 0) setTimeout(() => this.#tell(), MINUTE_MS).unref()
      this.#kinds.set(name, { fields, message, repeats: 0 })
      this.#log.warn(fields, message)
    }
  }

  #tell(): void {
    for (const { fields, message, repeats } of this.#kinds.values())
      if (repeats > 0) this.#log.warn({ ...fields, repeats }, `${message}: repeated in the last minute`)
    if (this.#others > 0) this.#log.warn({ warnings: this.#others }, 'more warnings in the last minute')
    this.#kinds.clear()
    this.#others = 0
  }
}
