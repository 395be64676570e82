import { timingSafeEqual } from 'node:crypto'
import { onAbort } from '../../../basics/abort.ts'
import { isServerFault, NativeError } from '../native-error.ts'
import type { Account, NativeClient, NativeProtocol, Target } from '../protocol.ts'
import { ProtectedClient } from '../rules/protected-client.ts'
import type { ServerSocket } from '../server-socket.ts'
import { JudgedMessages } from './judged.ts'
import { LoginMessages, logIn, secure } from './login.ts'
import { MaskedMessages } from './masked.ts'
import { errorOf, messageTypes, sendNoKey, type } from './messages.ts'
import { asksForReplication, cancelRequest, readStartup, serverStartup, type Startup } from './startup.ts'
import { deferred } from '../../../basics/deferred.ts'

/** Maximum number of requests for encryption. The agent refuses all of them. */
const MAX_ENCRYPTION_REQUESTS = 10
/**
 * Maximum time in milliseconds for a cancel request. A server answers the request by closing the connection.
 */
const CANCEL_MS = 4000
const NO_ENCRYPTION = Buffer.from('N')
const CLOSED_TOO_EARLY =
  'the connection to the server was lost: the server closed the connection before it had answered'

const SQLSTATE = {
  connectionFailure: '08006',
  protocolViolation: '08P01',
  adminShutdown: '57P01',
  unsupported: '0A000',
}

/** Messages that a server answers with ReadyForQuery: Query, Sync, FunctionCall. */
const ANSWERED: ReadonlySet<number> = new Set([0x51, 0x53, 0x46])

/** A backend of the server whose key was sent to a client. */
interface Backend {
  readonly pid: number
  readonly key: Buffer
}

/** PostgreSQL's protocol 3: logs in with the connection's user, then passes messages on. */
export function postgresProtocol(target: Target): NativeProtocol {
  const session = new PostgresSession(target)
  return { serve: (client) => session.serve(client) }
}

class PostgresSession {
  readonly #target: Target
  /** Backends whose clients are connected, by pid. */
  readonly #backends = new Map<number, Backend>()

  constructor(target: Target) {
    this.#target = target
  }

  async serve(client: NativeClient): Promise<void> {
    try {
      const first = await beginning(client)
      if (first === undefined) return
      if (first.startup.kind === 'cancel') await this.#cancel(client, first.startup)
      else await this.#connect(client, first.startup, first.rest)
    } catch (error) {
      if (!(error instanceof NativeError)) throw error
      // The reason was already sent to the client.
      if (error.code === 'stopped') return
      this.#target.log.warn({ connectionId: client.id, error: error.message }, 'native connection failed')
      const code = isServerFault(error) ? SQLSTATE.connectionFailure : SQLSTATE.protocolViolation
      await client.send(errorOf('FATAL', code, error.message))
    }
  }

  async #connect(client: NativeClient, startup: Asked, rest: Buffer): Promise<void> {
    if (asksForReplication(startup)) {
      await client.send(
        errorOf('FATAL', SQLSTATE.unsupported, 'replication is not served on native connections'),
      )
      return
    }
    const backend: { current?: Backend } = {}
    const loggedIn = await this.#login(client, startup, backend)
    if (loggedIn === undefined) return
    using server = loggedIn.server
    const { current } = backend
    if (current !== undefined) this.#backends.set(current.pid, current)
    using guarded = protectedClient(client, rest, this.#target)
    try {
      const relay = new Relay(guarded ?? client, server)
      try {
        await relay.run(guarded === undefined ? rest : Buffer.alloc(0), loggedIn.rest)
      } finally {
        if (relay.isBusy && current !== undefined) await this.#sendCancel(client.id, current)
      }
    } finally {
      if (current !== undefined) this.#backends.delete(current.pid)
    }
  }

  /**
   * Returns undefined if the server has refused the login. The server's error was then sent to the client.
   */
  async #login(
    client: NativeClient,
    startup: Asked,
    backend: { current?: Backend },
  ): Promise<LoggedIn | undefined> {
    let server: ServerSocket | undefined
    try {
      const account = await this.#target.account(client.gone)
      const dialled = (server = await this.#target.dial(client.gone))
      const rest = await dialled.inTime(() => this.#letIn(client, dialled, startup, account, backend))
      if (rest !== undefined) return { server: dialled, rest }
    } catch (error) {
      server?.[Symbol.dispose]()
      if (!isServerFault(error)) throw error
      throw new NativeError('server', `failed initializing connection, reason=${error.message}`)
    }
    server[Symbol.dispose]()
    return undefined
  }

  /**
   * Returns the bytes that the server sent after the login; undefined if the server has refused the login.
   */
  async #letIn(
    client: NativeClient,
    server: ServerSocket,
    startup: Asked,
    account: Account,
    backend: { current?: Backend },
  ): Promise<Buffer | undefined> {
    const target = this.#target
    await secure(server, target, client.gone)
    await server.write(serverStartup(startup, account.user, target.variable('DB')))
    const messages = new LoginMessages(server)
    const answer = await logIn(server, messages, account, (bytes) => client.send(bytes))
    await client.send(answer.bytes)
    const isIn = answer.type === type.authentication && (await passReady(client, messages, backend))
    return isIn ? messages.rest : undefined
  }

  /**
   * Cancels another client's query. hoop's command line then gives the id of this connection to the
   * connection of the other client, whatever the key is. So no message may be sent on this connection, not
   * even a close: the message would reach the other client.
   */
  async #cancel(client: NativeClient, { pid, key }: Cancel): Promise<void> {
    const backend = this.#backends.get(pid)
    if (backend === undefined) return
    client.isSilent = !client.isOurs
    if (backend.key.length !== key.length || !timingSafeEqual(backend.key, key)) return
    await this.#sendCancel(client.id, backend)
  }

  /** Sends the request on a connection of its own. Settles when the server has handled the request. */
  async #sendCancel(connectionId: string, { pid, key }: Backend): Promise<void> {
    const late = AbortSignal.timeout(CANCEL_MS)
    try {
      using server = await this.#target.dial(late)
      await server.write(cancelRequest(pid, key))
      while ((await server.next()) !== undefined);
    } catch (error) {
      if (!isServerFault(error)) throw error
      this.#target.log.warn({ connectionId, error: error.message }, 'cannot cancel a statement')
    }
  }
}

interface LoggedIn {
  readonly server: ServerSocket
  /** The server's bytes after its login. */
  readonly rest: Buffer
}

type Asked = Extract<Startup, { kind: 'startup' }>
type Cancel = Extract<Startup, { kind: 'cancel' }>

/** Returns undefined if the client has gone. @throws NativeError */
async function beginning(
  client: NativeClient,
): Promise<{ readonly startup: Asked | Cancel; readonly rest: Buffer } | undefined> {
  let bytes = Buffer.alloc(0)
  for (let requests = 0; ;) {
    const read = readStartup(bytes)
    if (read === undefined) {
      const more = await client.next()
      if (more === undefined) return undefined
      bytes = Buffer.concat([bytes, more])
      continue
    }
    const { startup, length } = read
    bytes = bytes.subarray(length)
    if (startup.kind !== 'encryption') return { startup, rest: bytes }
    requests += 1
    if (requests > MAX_ENCRYPTION_REQUESTS)
      throw new NativeError('protocol', 'too many requests for encryption')
    await client.send(NO_ENCRYPTION)
  }
}

/** Returns undefined without rules and masking. Bytes then pass unchanged. */
function protectedClient(client: NativeClient, unread: Buffer, target: Target): ProtectedClient | undefined {
  return ProtectedClient.of({ client, unread, target }, (rules) => ({
    statements: new JudgedMessages(rules),
    results: new MaskedMessages(client, rules),
  }))
}

/**
 * Passes on messages up to the first ReadyForQuery. BackendKeyData has to begin a packet, because hoop's
 * command line reads the pid at the beginning of a packet. Returns false if the server has sent an error.
 */
async function passReady(
  client: NativeClient,
  messages: LoginMessages,
  backend: { current?: Backend },
): Promise<boolean> {
  for (;;) {
    const message = await messages.next()
    const { content, bytes } = message
    if (message.type === type.backendKeyData && content.length > 4)
      backend.current = { pid: content.readUInt32BE(0), key: Buffer.from(content.subarray(4)) }
    await client.send(bytes)
    if (message.type === type.error) return false
    if (message.type === type.readyForQuery) return true
  }
}

/** Passes on the messages after the login, in both directions. */
class Relay {
  readonly #client: NativeClient
  readonly #server: ServerSocket
  readonly #fromClient = messageTypes((messageType) => {
    if (messageType === type.terminate) this.#terminate()
    else if (ANSWERED.has(messageType)) this.#unanswered += 1
    else this.#isUnsynced = true
  })
  readonly #fromServer = messageTypes((messageType) => {
    this.#lastType = messageType
    if (messageType !== type.readyForQuery) return
    this.#unanswered = Math.max(0, this.#unanswered - 1)
    if (this.#unanswered === 0) this.#isUnsynced = false
  })
  /** Number of the client's messages for which no ReadyForQuery has arrived. */
  #unanswered = 0
  /**
   * Whether the client has sent other messages since the last ReadyForQuery. The server does not answer them
   * with ReadyForQuery.
   */
  #isUnsynced = false
  #hasTerminated = false
  #end: () => void = () => undefined
  #isServerGone = false
  #lastType = 0
  /** The send to the client that is in progress. */
  #passing: Promise<void> | undefined

  constructor(client: NativeClient, server: ServerSocket) {
    this.#client = client
    this.#server = server
  }

  /** Whether the server is still running a statement of a client that has gone. */
  get isBusy(): boolean {
    return (this.#unanswered > 0 || this.#isUnsynced) && !this.#hasTerminated && !this.#isServerGone
  }

  /**
   * @param rest the client's bytes after its startup packet
   * @param said the server's bytes after the login
   */
  async run(rest: Buffer, said: Buffer): Promise<void> {
    const client = this.#client
    const ended = deferred()
    using _ = onAbort(client.ending, ended.resolve)
    this.#end = ended.resolve
    await Promise.race([this.#toServer(rest), this.#toClient(said), ended.promise])
    // A client that has sent Terminate expects no answer.
    if (this.#hasTerminated) client.isSilent = !client.isOurs
    else if (client.ending.aborted) {
      const { message } = client.ending.reason as Error
      // If the client has paused, output waits. It is sent first, because the record already has it as sent.
      await this.#passing
      await this.#goodbye(errorOf('FATAL', SQLSTATE.adminShutdown, message))
    }
  }

  async #toServer(rest: Buffer): Promise<void> {
    const pass = (bytes: Buffer) => {
      if (this.#hasTerminated) return undefined
      this.#fromClient.push(bytes)
      return this.#server.write(bytes)
    }
    await pass(rest)
    await this.#client.deliver(pass)
  }

  async #toClient(said: Buffer): Promise<void> {
    // After the connection's last error nothing may be sent.
    const pass = (bytes: Buffer) =>
      this.#client.ending.aborted ? undefined : (this.#passing = this.#pass(bytes))
    try {
      await pass(said)
      await this.#server.deliver(pass)
      // The end of the socket does not prove that the server has gone: the socket is also closed if the
      // client has gone or the agent ends the connection.
      if (this.#client.gone.aborted || this.#client.ending.aborted) return
      const { isBusy } = this
      this.#isServerGone = true
      if (isBusy) await this.#goodbye(errorOf('FATAL', SQLSTATE.connectionFailure, CLOSED_TOO_EARLY))
    } catch (error) {
      if (!isServerFault(error)) throw error
      this.#isServerGone = true
      await this.#goodbye(errorOf('FATAL', SQLSTATE.connectionFailure, error.message))
    }
  }

  #terminate(): void {
    this.#hasTerminated = true
    this.#end()
  }

  #pass(bytes: Buffer): Promise<void> | undefined {
    const isBetween = this.#fromServer.isBetween
    this.#fromServer.push(bytes)
    return isBetween ? this.#client.send(bytes) : sendNoKey(this.#client, bytes)
  }

  /** Sends nothing in the middle of a message, or if the server's last message was already an error. */
  async #goodbye(error: Buffer): Promise<void> {
    if (this.#fromServer.isBetween && this.#lastType !== type.error) await this.#client.send(error)
  }
}
