import type { Packet } from '../../wire/packet.ts'
import type { SignedIn } from '../identity.ts'
import type { RpcCode } from '../../contract/statuses.ts'

/** The way to one client: a stream of gRPC, or the socket of a page. */
export interface ClientCall {
  /** Settles when the call is over, and nothing is sent any more. */
  readonly over: Promise<void>
  /** Who asks, where that was found out before the call began. */
  readonly signedIn?: SignedIn
  /** The client's address, without the port; empty where it is unknown. */
  readonly ip: string
  readonly isOver: boolean
  /** Bytes sent that the client has not taken yet. */
  readonly unsentBytes: number
  /** What the client says of itself and of what it wants. */
  header(name: string): string | undefined
  /** Never blocks: whoever sends much has to watch `unsentBytes`. Does nothing after the end. */
  send(packet: Packet): void
  /** Settles when at most so many bytes are unsent, or the call is over. */
  room(bytes: number): Promise<void>
  /** What the client sends, read as it is asked for. Ends when the client has ended its side, or the call is over. */
  packets(): AsyncGenerator<Packet, void, undefined>
  /** The orderly end, after everything that was sent. */
  end(): void
  /** The end with a code. What still waits here is not sent. */
  fail(code: RpcCode, details: string): void
}

/** Serves the calls of clients. */
export interface ClientServer {
  serve(call: ClientCall): unknown
  /** Ends them. */
  close(): void
}
