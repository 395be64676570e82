import type { Packet } from '../wire/packet.ts'
import type { ConnectError } from './connect-error.ts'

/** A client's stream of packets. It has its own connection. */
export interface PacketLine {
  /** The gateway's address, for messages. */
  readonly address: string
  /** The reason why the stream ended, or undefined while it is open. */
  readonly error: ConnectError | undefined
  /** Yields packets in order until the stream ends. The stream is read only on demand. */
  receive(): AsyncGenerator<Packet, void, undefined>
  /**
   * Sends a packet. If the result is a promise, wait for it before you send more. The promise rejects with
   * the ConnectError if the stream ends.
   */
  send(packet: Packet): Promise<void> | undefined
  /** Ends the stream immediately. The gateway then sees that its client has gone. */
  drop(reason: string): void
}
