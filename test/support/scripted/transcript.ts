import { readFileSync } from 'node:fs'
import type { Packet } from '../../../src/wire/packet.ts'

export interface Entry {
  readonly from: 'agent' | 'gateway'
  readonly packet: Packet
}

interface RecordedPacket {
  readonly from: 'agent' | 'gateway'
  readonly type?: string
  readonly spec?: Readonly<Record<string, string>>
  readonly payload?: string
}

/** The packets of a recorded conversation, in order; events of the stream itself are left out. */
export function transcript(name: string): Entry[] {
  const file = new URL(`../../fixtures/transcripts/${name}.json`, import.meta.url)
  const { packets } = JSON.parse(readFileSync(file, 'utf8')) as { packets: RecordedPacket[] }
  return packets.flatMap(({ from, type, spec, payload }) =>
    type === undefined ? [] : [{ from, packet: packet(type, spec, payload) }],
  )
}

function packet(type: string, spec: Readonly<Record<string, string>> = {}, payload = ''): Packet {
  const decoded = Object.entries(spec).map(([key, value]) => [key, Buffer.from(value, 'base64')])
  return {
    type,
    spec: Object.fromEntries(decoded) as Record<string, Buffer>,
    payload: Buffer.from(payload, 'base64'),
  }
}
