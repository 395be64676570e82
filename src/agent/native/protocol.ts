import type { Logger } from '../../basics/logger.ts'
import type { Address } from '../../basics/net/address.ts'
import type { SessionRules } from './rules/session-rules.ts'
import type { ServerSocket } from './server-socket.ts'

/**
 * A protocol of native clients, for one session: serves its connections, many at once. A new protocol is a function that
 * makes one of these from a target, and a row of `PROTOCOLS` in native-session.ts.
 */
export interface NativeProtocol {
  /**
   * Serves one connection from the client's first bytes to its end. When it settles, the connection is over: the frame
   * tells the client so, unless the client has hung up or `client.isSilent` is set. What it throws ends the connection
   * and is logged, so what a client should read has to be sent before.
   */
  serve(client: NativeClient): Promise<void>
}

/** The client's end of one connection. */
export interface NativeClient {
  readonly id: string
  /** Aborts when the client has hung up and its last bytes were read, or the session is over. Closes the server's socket. */
  readonly gone: AbortSignal
  /**
   * Aborts when the agent ends the connection: the client may still be told why. Its reason is an Error whose message is
   * for the user.
   */
  readonly ending: AbortSignal
  /** Set by the protocol when the client must not be told that the connection is over (PostgreSQL's cancel requests). */
  isSilent: boolean
  /** Whether the client's side is ours, and not hoop's: it closes a connection that is over, whatever it was for. */
  readonly isOurs: boolean
  /** All bytes that have come and were not read, at least one; undefined at the end. */
  next(): Promise<Buffer | undefined>
  /**
   * Sends one packet, in order. Settles when there is room for more: await it before the next read from the server.
   * @param bytes at most `MAX_PACKET_BYTES`
   * @param guardrailsInfo set when the bytes are nothing but the refusal of a statement
   */
  send(bytes: Buffer, guardrailsInfo?: Buffer): Promise<void>
}

/** hoop's limit is 17 MiB; small packets let other sessions have their turns. */
export const MAX_PACKET_BYTES = 256 * 1024

/** As whom the agent logs in. */
export interface Account {
  readonly user: string
  readonly password: string
}

/** What a session's connections connect to. */
export interface Target {
  readonly address: Address
  /** A variable of the connection, never one of the client. */
  readonly variable: (name: string) => string | undefined
  /** Asked for each connection: a token of Amazon RDS is good for 15 minutes. @throws NativeError */
  readonly account: (gone: AbortSignal) => Promise<Account>
  /** Connects to the server, in 5 s at most. @throws NativeError */
  readonly dial: (gone: AbortSignal) => Promise<ServerSocket>
  /** What statements are judged by and results masked; undefined for bytes that nobody looks at. */
  readonly rules: SessionRules | undefined
  readonly log: Logger
}
