import { gatewayCode, type GatewayCode } from './gateway-codes.ts'
import { decodePacket, encodeHead } from './packet-codec.ts'
import { DecodeError, MAX_MESSAGE_BYTES, specText, type Packet } from './packet.ts'

// Packets on an upgraded HTTP connection, without gRPC (protocol.md 1.7). A frame is a length (u32, the
// highest byte first) and then a packet as protobuf.

/** Value of the `Upgrade` header. */
export const FRAMED_PACKETS = 'runbook-agent-packets'
/** Path of the stream of one execution. The request's headers are the stream's metadata. */
export const EXEC_STREAM = '/api/streams/exec'

const END = 'RunbookStreamEnd'
const CODE = 'code'
const U32 = 4
/** Maximum size in bytes up to which the pieces of a frame are joined. */
const JOINED_BYTES = 64 * 1024

/** Returns the head of a frame. The packet's payload follows this head. */
export function frameHead(packet: Packet): Buffer {
  const head = encodeHead(packet, U32)
  head.writeUInt32BE(head.length - U32 + packet.payload.length)
  return head
}

export function endPacket(code: GatewayCode, message: string): Packet {
  return { type: END, spec: { [CODE]: Buffer.from(code) }, payload: Buffer.from(message) }
}

/** Returns the end that a packet announces, or undefined if the packet does not end a stream. */
export function endIn(
  packet: Packet,
): { readonly code: GatewayCode | undefined; message: string } | undefined {
  if (packet.type !== END) return undefined
  return { code: gatewayCode(specText(packet, CODE)), message: packet.payload.toString() }
}

/** Reads packets from pieces of any size. */
export class FrameReader {
  #pieces: Buffer[] = []
  #bytes = 0
  /**
   * Number of bytes that the next frame needs. Until the length of the frame is known, only the length field
   * counts.
   */
  #needed = U32

  /** Returns the packets that the piece completes. @throws DecodeError */
  push(piece: Buffer): Packet[] {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    if (this.#bytes < this.#needed) {
      this.#join()
      return []
    }
    let rest = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces)
    const packets: Packet[] = []
    for (;;) {
      this.#needed = frameBytes(rest)
      if (rest.length < this.#needed) break
      packets.push(decodePacket(rest.subarray(U32, this.#needed)))
      rest = rest.subarray(this.#needed)
    }
    // A view would keep the whole of a large frame in memory.
    this.#pieces = rest.length === 0 ? [] : [Buffer.from(rest)]
    this.#bytes = rest.length
    return packets
  }

  /**
   * Joins small pieces, because each piece takes far more memory than its bytes. Copies a byte only a few
   * times.
   */
  #join(): void {
    for (;;) {
      const [before, last] = this.#pieces.slice(-2)
      if (before === undefined || last === undefined || last.length < before.length) return
      if (before.length + last.length > JOINED_BYTES) return
      this.#pieces.splice(-2, 2, Buffer.concat([before, last]))
    }
  }
}

/**
 * Returns the number of bytes of a frame, including its length field. Returns 4 before the length is known.
 * @throws DecodeError
 */
function frameBytes(begun: Buffer): number {
  if (begun.length < U32) return U32
  const length = begun.readUInt32BE()
  if (length > MAX_MESSAGE_BYTES) throw new DecodeError('frame', `longer than ${MAX_MESSAGE_BYTES} bytes`)
  return U32 + length
}
