import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { type DestinationStream, type Logger as PinoLogger, pino, stdSerializers } from 'pino'
import type { Logger } from './basics/logger.ts'

/** How long a line waits while the descriptor is full. A reader that stops must not stop the agent. */
const PATIENCE_MS = 1000
const PAUSE_MS = 10

/**
 * Writes each line before `write` returns, so that the last line before an exit is not lost. Drops a line
 * that cannot be written.
 * pino's destination waits for ever on EAGAIN and throws on a full disk. EAGAIN occurs after any use of
 * `process.stderr`, because libuv then makes a pipe non-blocking.
 */
export class Lines {
  readonly #fd: number
  readonly #pauses: number
  #isStuck = false
  #isCut = false

  constructor(fd: number, patienceMs = PATIENCE_MS) {
    this.#fd = fd
    this.#pauses = patienceMs / PAUSE_MS
  }

  write(line: string): void {
    const bytes = Buffer.from(this.#isCut ? `\n${line}` : line)
    const written = this.#writeAll(bytes)
    this.#isStuck = written < bytes.length
    this.#isCut = this.#isStuck && (this.#isCut || written > 0)
  }

  /** @returns the number of written bytes */
  #writeAll(bytes: Buffer): number {
    // If a line has waited without success, later lines do not wait until one line is written completely.
    let pauses = this.#isStuck ? 0 : this.#pauses
    let written = 0
    while (written < bytes.length) {
      const count = tryWrite(this.#fd, bytes.subarray(written))
      if (count === 'broken' || (count === 'full' && pauses <= 0)) break
      if (count === 'full') {
        pause()
        pauses -= 1
      } else written += count
    }
    return written
  }
}

function tryWrite(fd: number, bytes: Buffer): number | 'full' | 'broken' {
  try {
    return writeSync(fd, bytes)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EAGAIN' ? 'full' : 'broken'
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
}

export interface RootLogger extends Logger {
  child(fields: object): RootLogger
}

export interface ProgramLogger extends RootLogger {
  setLevel(level: LoggerOptions['level']): void
}

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly encoding: 'json' | 'human'
  /** Undefined for standard error. A line is then written before the logging call returns. */
  readonly destination?: NodeJS.WritableStream
  /** Called with each written line, as JSON for `parseLogLine`. Must not log. */
  readonly tap?: (line: string) => void
}

/** Logs lines such as `{"level":"info","timestamp":"<RFC 3339>",<fields>,"msg":"<message>"}`. */
export async function createLogger({
  level,
  encoding,
  destination,
  tap,
}: LoggerOptions): Promise<ProgramLogger> {
  // Reading `process.stderr.isTTY` would make a pipe non-blocking.
  const hasColors = destination === undefined && isatty(2) && process.stderr.hasColors()
  const lines = destination ?? new Lines(2)
  const form = encoding === 'human' ? await humanForm(lines, hasColors) : lines
  const inner = pino(
    {
      level,
      base: null,
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: redactFields },
      serializers: { err: stdSerializers.err },
    },
    tap === undefined ? form : tapped(form, tap),
  )
  return { ...toLogger(inner), setLevel: (level) => void (inner.level = level) }
}

function tapped(lines: DestinationStream, tap: (line: string) => void): DestinationStream {
  return {
    write: (line) => {
      lines.write(line)
      // The listener's error must not reach the caller that logs.
      try {
        tap(line)
      } catch {
        return
      }
    },
  }
}

/** Redacts the fields of a child here: pino does not use its `log` formatter for them. */
function toLogger(inner: PinoLogger): RootLogger {
  return {
    debug: (fields, message) => inner.debug(fields, message),
    info: (fields, message) => inner.info(fields, message),
    warn: (fields, message) => inner.warn(fields, message),
    error: (fields, message) => inner.error(fields, message),
    child: (fields) => toLogger(inner.child(redactFields(fields))),
  }
}

/** Loads pino-pretty only when needed. Its own stream is not used, because it writes a tick later. */
async function humanForm(lines: DestinationStream, colorize: boolean): Promise<DestinationStream> {
  const { prettyFactory } = (await import('pino-pretty')).default
  const format = prettyFactory({
    colorize,
    singleLine: true,
    messageKey: 'msg',
    timestampKey: 'timestamp',
    translateTime: 'SYS:HH:MM:ss.l',
  })
  return { write: (line) => lines.write(format(escapeControls(line))) }
}

/**
 * Makes control characters visible: text from a gateway must not move the cursor of a terminal. Keeps line
 * breaks and tabs for stack traces.
 */
function escapeControls(json: string): string {
  return json
    .replaceAll(/\\(\\|[bfr]|u00[01][0-9a-f])/g, (escape) => (escape === '\\\\' ? escape : `\\${escape}`))
    .replaceAll(/[\x7f-\x9f]/g, (raw) => `\\\\u00${raw.charCodeAt(0).toString(16)}`)
}

const SECRET_NAME = /(key|token|secret|passw(or)?d|passphrase|authorization|credential|dsn)s?$/i
const REDACTED = '[redacted]'
const UNPRINTABLE = '[unprintable]'

/**
 * Hides values whose names sound secret, at any depth. This is a safety net: callers must not log secrets.
 * Never throws.
 * pino's `redact` is not used: with a wildcard, pino 10.4 clones values, and the clone of a URL, a Buffer or
 * an object with a failing getter makes the logging call throw (seen).
 */
function redactFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, redactField(name, value)]))
}

function redactField(name: string, value: unknown): unknown {
  if (hides(name, value)) return REDACTED
  // An error in `err` stays, because pino writes it in its own form, with the stack.
  if (typeof value !== 'object' || value === null || (name === 'err' && value instanceof Error)) return value
  try {
    return JSON.parse(JSON.stringify(value, replace)) as unknown
  } catch {
    return UNPRINTABLE
  }
}

function replace(name: string, value: unknown): unknown {
  if (hides(name, value)) return REDACTED
  if (typeof value === 'bigint') return String(value)
  return value instanceof Error ? { type: value.name, message: value.message } : value
}

/** Numbers and booleans are shown, because they reveal nothing (`keys: 3`). */
function hides(name: string, value: unknown): boolean {
  return (
    SECRET_NAME.test(name) && (typeof value === 'string' || (typeof value === 'object' && value !== null))
  )
}
