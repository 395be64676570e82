import type { Packet } from '../wire/packet.ts'
import type { ConnectError } from './connect-error.ts'

/** A client's stream of packets, on a connection of its own. */
export interface PacketLine {
  /** The gateway, for messages. */
  readonly address: string
  /** Why the stream ended; undefined while it is open. */
  readonly error: ConnectError | undefined
  /** Yields packets in order until the stream ends. Reads only on demand. */
  receive(): AsyncGenerator<Packet, void, undefined>
  /** Returns a promise if the stream accepts no more; it rejects with the ConnectError if the stream ends. */
  send(packet: Packet): Promise<void> | undefined
  /** Ends the stream immediately: the gateway sees that its client has gone. */
  drop(reason: string): void
}
