import type { Packet } from '../wire/packet.ts'
import type { ConnectError } from './connect-error.ts'

/** A client's stream of packets, on a connection of its own. */
export interface PacketLine {
  /** The gateway, for messages. */
  readonly address: string
  /** Why the stream ended; undefined while it is open. */
  readonly error: ConnectError | undefined
  /** Yields packets in order, and reads only when the caller wants more, until the stream ends. */
  receive(): AsyncGenerator<Packet, void, undefined>
  /**
   * @returns undefined when there is room for more; otherwise a promise that settles when there is, and rejects with the
   * ConnectError when the stream is over
   */
  send(packet: Packet): Promise<void> | undefined
  /** Ends the stream immediately, so that the gateway sees that its client has gone. */
  drop(reason: string): void
}
