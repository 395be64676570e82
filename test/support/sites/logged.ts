import type { LogLine } from '../../../src/basics/logger.ts'

/** The line as the log writes it. */
export function logged({ time, level, message, fields }: LogLine): string {
  return JSON.stringify({ level, timestamp: time.toISOString(), ...fields, msg: message })
}
