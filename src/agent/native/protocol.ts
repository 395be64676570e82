import type { Logger } from '../../basics/logger.ts'
import type { Address } from '../../basics/net/address.ts'
import type { SessionRules } from './rules/session-rules.ts'
import type { Take } from './delivery.ts'
import type { ServerSocket } from './server-socket.ts'

/**
 * A protocol of native clients, for one session. Serves many connections at the same time. A new
 * protocol needs a function from a target to a `NativeProtocol`, and a row of `PROTOCOLS` in
 * opening.ts.
 */
export interface NativeProtocol {
  /**
   * Serves one connection from the client's first bytes to its end. When the promise settles, the
   * connection is over. The caller then sends the end to the client, if the client has not hung up
   * and `client.isSilent` is false. A thrown error ends the connection and is logged, so send an
   * error message to the client before.
   */
  serve(client: NativeClient): Promise<void>
}

/** The client's end of one connection. */
export interface NativeClient {
  readonly id: string
  /**
   * Aborts when the client has hung up and its last bytes were read, or the session is over. The
   * abort closes the socket to the server.
   */
  readonly gone: AbortSignal
  /**
   * Aborts when the agent ends the connection. The client can still receive the reason. The
   * signal's reason is an Error whose message is for the user.
   */
  readonly ending: AbortSignal
  /**
   * Set by the protocol when the client must not be told that the connection is over (PostgreSQL's cancel
   * requests).
   */
  isSilent: boolean
  /**
   * Whether the client's side is this program, not hoop's command line. This program closes each
   * connection that is over.
   */
  readonly isOurs: boolean
  /** Returns all unread bytes, at least one; undefined at the end. */
  next(): Promise<Buffer | undefined>
  /** Passes all bytes to `take` until the end. Costs less than `next`. */
  deliver(take: Take): Promise<void>
  /**
   * Sends one packet, in order. Await the result before the next read from the server. The result
   * is a promise if the stream cannot accept more; it settles when the stream can.
   * @param bytes at most `MAX_PACKET_BYTES`
   * @param guardrailsInfo set only when the bytes are the refusal of a statement
   */
  send(bytes: Buffer, guardrailsInfo?: Buffer): Promise<void> | undefined
}

/**
 * Maximum size of one packet in bytes. hoop's limit is 17 MiB. Small packets let other sessions
 * send in between.
 */
export const MAX_PACKET_BYTES = 256 * 1024

/** The account with which the agent logs in. */
export interface Account {
  readonly user: string
  readonly password: string
}

/** The server of a session's connections. */
export interface Target {
  readonly address: Address
  /** Returns a variable of the connection, never a variable of the client. */
  readonly variable: (name: string) => string | undefined
  /**
   * Called for each connection, because a token of Amazon RDS is valid for only 15 minutes. @throws
   * NativeError
   */
  readonly account: (gone: AbortSignal) => Promise<Account>
  /** Connects to the server, in 5 s at most. @throws NativeError */
  readonly dial: (gone: AbortSignal) => Promise<ServerSocket>
  /**
   * Rules for statements, and masking for results; undefined if neither rules nor masking are
   * needed.
   */
  readonly rules: SessionRules | undefined
  readonly log: Logger
}
