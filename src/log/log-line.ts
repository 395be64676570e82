import type { LogLine } from '../basics/logger.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** Takes apart a line that pino has written. When a name occurs twice the last one counts, as for every JSON reader. */
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
