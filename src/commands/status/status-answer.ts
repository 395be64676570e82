import * as v from 'valibot'
import type { Status } from '../../operations/status.ts'

const count = v.number()
const counts = v.record(v.string(), v.number())

/** Reads a value that is `null` on the wire and undefined in a `Status`. */
function optional<T>(schema: v.GenericSchema<unknown, T>) {
  return v.pipe(
    v.nullable(schema),
    v.transform((value) => value ?? undefined),
  )
}

/** For agents of any version: unknown fields are ignored, missing ones are an error. */
const schema: v.GenericSchema<unknown, Status> = v.object({
  version: v.string(),
  pid: count,
  uptimeSeconds: count,
  agent: v.string(),
  gateway: v.string(),
  engine: v.picklist(['posix', 'portable']),
  connection: v.object({
    state: v.string(),
    since: v.string(),
    reason: optional(v.string()),
    reconnects: count,
    health: optional(v.object({ at: v.string(), milliseconds: count })),
  }),
  sessions: v.object({
    running: count,
    limit: count,
    opened: count,
    started: count,
    outcomes: counts,
    reasons: counts,
    confirmed: count,
    unconfirmed: count,
  }),
  output: v.object({
    bytesRead: count,
    bytesSent: count,
    bytesLeftOut: count,
    bytesRedacted: count,
    tailBytes: count,
  }),
  systemRequests: counts,
  processesEnded: count,
  journalLinesLost: count,
})

/** @returns undefined when this is no answer of an agent */
export function parseStatus(line: string): Status | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(line))
    return result.success ? result.output : undefined
  } catch {
    return undefined
  }
}
