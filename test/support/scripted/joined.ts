import type { Packet } from '../../../src/wire/packet.ts'
import { transportService } from '../../../src/wire/service.ts'

const { requestSerialize } = transportService['Connect'] as unknown as {
  readonly requestSerialize: (packet: Packet) => Buffer
}

/** The payload of joined packets (protocol.md 1.6). */
export function joined(packets: readonly Packet[]): Buffer {
  const parts = packets.flatMap((packet) => {
    const bytes = requestSerialize(packet)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat(parts)
}
