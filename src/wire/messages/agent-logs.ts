import type { ShippedLine } from './message.ts'
import type { Packet } from '../packet.ts'

/** `ClientAgentLogs` (protocol.md 3.7): a JSON array, of no session. The gateway drops more than 1 MiB. */
export function encodeLogs(lines: readonly ShippedLine[]): Packet {
  return { type: 'ClientAgentLogs', spec: {}, payload: Buffer.from(JSON.stringify(lines.map(entryOf))) }
}

function entryOf({ time, level, message, fields }: ShippedLine): object {
  return {
    timestamp: nanoseconds(time),
    level,
    message,
    ...(Object.keys(fields).length > 0 && { fields }),
  }
}

/** RFC 3339 with nine digits; the clock has three. */
function nanoseconds(time: Date): string {
  return time.toISOString().replace('Z', '000000Z')
}
