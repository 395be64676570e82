import type { Packet } from '../wire/packet.ts'
import type { ConnectError } from './connect-error.ts'

/** A client's stream of packets, on a connection of its own. */
export interface PacketLine {
  /** The gateway, for messages. */
  readonly address: string
  /** Why the stream ended; undefined while it is open. */
  readonly error: ConnectError | undefined
  /** Yields packets in order until the stream ends. Reads only when the caller asks for the next packet. */
  receive(): AsyncGenerator<Packet, void, undefined>
  /**
   * Sends a packet. @returns undefined when the stream can accept more; otherwise a promise that resolves
   * when it can, and rejects with the ConnectError when the stream has ended
   */
  send(packet: Packet): Promise<void> | undefined
  /** Ends the stream immediately, so that the gateway sees that its client has gone. */
  drop(reason: string): void
}
