import type { Logger } from '../../basics/logger.ts'
import type { Address } from '../../basics/net/address.ts'
import type { SessionRules } from './rules/session-rules.ts'
import type { Take } from './delivery.ts'
import type { ServerSocket } from './server-socket.ts'

/** Serves the many connections of one session. To add a protocol, add a row to `PROTOCOLS` in opening.ts. */
export interface NativeProtocol<Client extends NativeClient = NativeClient> {
  /**
   * Settles when the connection is over. The caller then tells the client, unless the client has hung up or
   * `client.isSilent` is set. An error that is thrown is logged as a bug. If the client should receive an
   * error message, send the message before.
   */
  serve(client: Client): Promise<void>
}

/** A client whose protocol is unknown. Only the ends of TCP say whether all bytes have arrived. */
export interface RawClient extends NativeClient {
  /** Whether the client's side can end one direction and go on with the other. */
  readonly halfCloses: boolean
  /** Says that no more bytes for the client follow. The client may go on sending. */
  finish(): void
  /** Makes the end of the connection a reset: the client has not received everything. */
  reset(): void
}

export interface NativeClient {
  readonly id: string
  /**
   * Aborts when the session is over, or when the client has hung up and its last bytes were read. The
   * server's socket then closes.
   */
  readonly gone: AbortSignal
  /**
   * Aborts when the agent ends the connection. The reason is an Error whose message the client may still
   * receive.
   */
  readonly ending: AbortSignal
  /** Set if the client must not be told that the connection is over (PostgreSQL's cancel requests). */
  isSilent: boolean
  /**
   * Whether the client's side is this program, not hoop's command line. Only this program closes ended
   * connections.
   */
  readonly isOurs: boolean
  /** Returns all unread bytes, at least one; undefined at the end. */
  next(): Promise<Buffer | undefined>
  /** Passes all bytes to `take` until the end. Costs less than `next`. */
  deliver(take: Take): Promise<void>
  /**
   * Returns a promise if the stream accepts no more. Await the promise before the next read from the server.
   * @param bytes sent in packets of at most `MAX_PACKET_BYTES`
   * @param guardrailsInfo set only if the bytes are the refusal of a statement
   */
  send(bytes: Buffer, guardrailsInfo?: Buffer): Promise<void> | undefined
}

/**
 * Maximum size of a packet in bytes. hoop's limit is 17 MiB. Small packets let other sessions send in
 * between.
 */
export const MAX_PACKET_BYTES = 256 * 1024

/** People write this placeholder as user, password and database. */
export const NOOP = 'noop'

export interface Account {
  readonly user: string
  readonly password: string
}

export interface Target {
  readonly address: Address
  /** Returns a variable of the connection, never of the client. */
  readonly variable: (name: string) => string | undefined
  /**
   * Called for each connection, because a token of Amazon RDS is valid for only 15 minutes. @throws
   * NativeError
   */
  readonly account: (gone: AbortSignal) => Promise<Account>
  /** Takes 5 s at most. @throws NativeError */
  readonly dial: (gone: AbortSignal) => Promise<ServerSocket>
  /** Undefined if neither rules nor masking apply. */
  readonly rules: SessionRules | undefined
  readonly log: Logger
}
