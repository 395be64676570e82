import { frameHead } from './framed-packets.ts'
import { decodeWithin, fieldBudget, takeField } from './packet-codec.ts'
import { DecodeError, type Packet } from './packet.ts'

// Several packets in one message (protocol.md 1.6). A message of any size costs each end a write, a read and
// a dozen steps of gRPC. With many native clients this is most of the cost of a statement.

/** Key of gRPC metadata. A peer sends it to say that it reads joined packets. Hoop's peers do not send it. */
export const JOINS = 'runbook-agent-joins'

const TYPE = 'RunbookJoinedPackets'
/**
 * Maximum payload of a joined packet. To copy a larger payload costs as much as to send a message of its own.
 */
const SMALL_BYTES = 4 * 1024
/** Maximum total of joined payloads. */
const MAX_JOINED_BYTES = 64 * 1024
const LENGTH_BYTES = 4
/**
 * Maximum number of fields of all packets of a message; a packet counts as one more. 17 MiB may have millions,
 * which would stop the process for seconds. Senders pass on some thousand small packets at most before the
 * message in flight is written.
 */
const MAX_FIELDS = 64_000

/** `written` is called after the packet was written. */
interface Write {
  readonly packet: Packet
  readonly written: () => void
}

/**
 * The writes into one stream. Small packets wait while a message is in flight, and are then sent together.
 * The caller limits the waiting bytes: a packet counts as in flight until its `written` is called.
 */
export class JoinedWrites {
  isJoining = false
  readonly #write: (packet: Packet, written: () => void) => void
  #waiting: Write[] = []
  #inFlight = 0
  #finish: () => void = () => undefined

  constructor(write: (packet: Packet, written: () => void) => void) {
    this.#write = write
  }

  write(packet: Packet, written: () => void): void {
    const one = { packet, written }
    const isNext = this.#waiting.length === 0
    if (isNext && (this.#inFlight === 0 || !this.isJoining || !isSmall(one))) this.#send([one])
    else this.#waiting.push(one)
  }

  /** Calls `finish` after the last waiting packet was written. */
  end(finish: () => void): void {
    if (this.#waiting.length === 0) finish()
    else this.#finish = finish
  }

  /** Forgets the waiting packets. */
  drop(): void {
    this.#waiting = []
  }

  #send(writes: readonly Write[]): void {
    this.#inFlight += 1
    this.#write(join(writes.map(({ packet }) => packet)), () => {
      this.#inFlight -= 1
      for (const { written } of writes) written()
      if (this.#inFlight === 0) this.#sendWaiting()
    })
  }

  #sendWaiting(): void {
    if (this.#waiting.length === 0) return
    this.#send(this.#waiting.splice(0, joinable(this.#waiting)))
    if (this.#waiting.length === 0) this.#finish()
  }
}

function isSmall({ packet }: Write): boolean {
  return packet.payload.length <= SMALL_BYTES
}

/** Returns the number of packets for the next message, at least 1. */
function joinable(writes: readonly Write[]): number {
  let bytes = 0
  const end = writes.findIndex((one) => {
    bytes += one.packet.payload.length
    return !isSmall(one) || bytes > MAX_JOINED_BYTES
  })
  return end < 0 ? writes.length : Math.max(end, 1)
}

function join(packets: readonly Packet[]): Packet {
  const [first, ...others] = packets
  if (first !== undefined && others.length === 0) return first
  const parts = packets.flatMap((packet) => [frameHead(packet), packet.payload])
  return { type: TYPE, spec: {}, payload: Buffer.concat(parts) }
}

/**
 * Decodes one packet at a time, because a hostile peer can put millions into a message. A joined packet
 * inside a joined packet is not split. The iteration throws DecodeErrors.
 */
export function packetsIn(packet: Packet): Iterable<Packet> {
  return packet.type === TYPE ? split(packet) : [packet]
}

function* split({ payload }: Packet): Generator<Packet, void, undefined> {
  const fields = fieldBudget(MAX_FIELDS)
  for (let rest = payload; rest.length > 0;) {
    takeField(fields)
    const end = LENGTH_BYTES + (rest.length < LENGTH_BYTES ? 0 : rest.readUInt32BE())
    if (end > rest.length) throw new DecodeError(TYPE, 'malformed')
    yield decodeWithin(rest.subarray(LENGTH_BYTES, end), fields)
    rest = rest.subarray(end)
  }
}
