import { untilAbort } from '../../../basics/abort.ts'
import { NativeError } from '../native-error.ts'
import { Dialogue } from './dialogue.ts'
import { JudgedCommands } from './judged.ts'
import { MaskedPackets } from './masked.ts'
import { Answers, COM, Commands } from './packets.ts'
import {
  CACHING_SHA2,
  errorPayload,
  HARD_TO_READ,
  logIn,
  NATIVE_PASSWORD,
  OWN_LOGIN,
  packet,
  PacketReader,
  parseGreeting,
  parseLogin,
  type Greeting,
  type LoginRequest,
  type MysqlError,
  type Packet,
} from './login.ts'
import { NOOP, type NativeClient, type NativeProtocol, type Target } from '../protocol.ts'
import { ProtectedClient } from '../rules/protected-client.ts'
import type { ServerSocket } from '../server-socket.ts'
import { serverTls, type ServerTls } from '../server-tls.ts'

const FILE_REFUSED = 'the server asked the client for a file (LOAD DATA LOCAL), which is refused'

/** Maximum time in milliseconds to end the query of a client that has left. */
const KILL_MS = 5000

export function mysqlProtocol(target: Target): NativeProtocol {
  const tls = serverTls(target)
  return { serve: (client) => serveMysql(client, { ...target, tls }) }
}

interface MysqlTarget extends Target {
  readonly tls: ServerTls
}

async function serveMysql(client: NativeClient, target: MysqlTarget): Promise<void> {
  const tell = new Telling(client)
  try {
    using server = await target.dial(client.gone)
    const opened = await open(client, server, target, tell)
    if (opened === undefined) return
    using guarded = protectedClient(client, opened.fromClient, target)
    const fromClient = guarded === undefined ? opened.fromClient : Buffer.alloc(0)
    const relay = new Relay(guarded ?? client, server, tell)
    try {
      await relay.run({ ...opened, fromClient })
    } finally {
      if (relay.awaits && (client.gone.aborted || client.ending.aborted))
        await endQuery(client.id, opened.threadId, target)
    }
  } catch (error) {
    // The reason was already sent to the client.
    if (error instanceof NativeError && error.code === 'stopped') return
    const text = messageFor(error)
    if (text === undefined) throw error
    if (client.gone.aborted) return
    target.log.warn({ connectionId: client.id, error: text }, 'native connection failed')
    await tell.error({ code: 1105, state: 'HY000', message: text })
  }
}

/** Returns undefined without rules and masking. Bytes then pass unchanged. */
function protectedClient(client: NativeClient, unread: Buffer, target: Target): ProtectedClient | undefined {
  const dialogue = new Dialogue()
  return ProtectedClient.of({ client, unread, target }, (rules) => ({
    statements: new JudgedCommands(rules, dialogue),
    results: new MaskedPackets(client, rules, dialogue),
  }))
}

/** Returns undefined if the error is a bug. */
function messageFor(error: unknown): string | undefined {
  return error instanceof NativeError ? error.message : undefined
}

/** Sends the agent's own packets to the client, if the client expects a packet. */
class Telling {
  readonly #client: NativeClient
  /**
   * The packet number that the client expects next; undefined while the server is in the middle of an answer.
   */
  next: number | undefined = 0
  #hasGreeted = false

  constructor(client: NativeClient) {
    this.#client = client
  }

  async greet(payload: Buffer): Promise<void> {
    await this.say(payload)
    this.#hasGreeted = true
  }

  async say(payload: Buffer): Promise<void> {
    if (this.next === undefined) return
    await this.#client.send(packet(this.next, payload))
    this.next += 1
  }

  /** Sends nothing if the client would read the error as a part of an answer. */
  async error(error: MysqlError): Promise<void> {
    await this.say(errorPayload(this.#hasGreeted ? error : { ...error, state: '' }))
  }
}

interface OpenedConnection {
  readonly threadId: number
  /** Bytes that client and server have sent after the login. */
  readonly fromClient: Buffer
  readonly fromServer: Buffer
}

/** Returns undefined if the client has gone, or has received the server's refusal of the login. */
async function open(
  client: NativeClient,
  server: ServerSocket,
  target: MysqlTarget,
  tell: Telling,
): Promise<OpenedConnection | undefined> {
  const hidden = target.rules === undefined ? 0 : HARD_TO_READ
  const greeting = await server.inTime(() => readGreeting(server, tell, hidden))
  if (greeting === undefined) return undefined
  await tell.greet(greeting.forClient)
  const reader = new PacketReader(() => client.next())
  const said = await Promise.race([reader.read(), server.stirred().then(() => 'server' as const)])
  if (said === 'server') return refuseEarly(server, tell)
  if (said === undefined) return undefined
  refuseCommand(said)
  tell.next = said.seq + 1
  const request = withDatabase(parseLogin(said.payload, hidden), target.variable('DB'))
  const account = await target.account(client.gone)
  const { answer, rest } = await server.inTime(() =>
    logIn(server, greeting, request, account, target.tls, client.gone),
  )
  if (answer[0] === 0x00 && !(await finishPlugin(request, greeting, reader, tell))) return undefined
  await tell.say(answer)
  if (answer[0] !== 0x00) return undefined
  return { threadId: greeting.threadId, fromClient: reader.rest, fromServer: rest }
}

/** Adds the connection's database if the client names none, or only the placeholder `noop`. */
function withDatabase(request: LoginRequest, database = ''): LoginRequest {
  const asked = request.database ?? NOOP
  if (asked !== NOOP && asked !== '') return request
  return { ...request, database: database === '' ? undefined : database }
}

/**
 * Refuses a packet of the login that has the number 0. The gateway recognises commands by this number, and
 * would record the packet.
 */
function refuseCommand({ seq }: Packet): void {
  if (seq === 0)
    throw new NativeError(
      'protocol',
      'a packet of the login has the sequence number 0, which only commands have',
    )
}

/**
 * Passes on the error of a server that ends during the login.
 * @throws NativeError if the server sent no error
 */
async function refuseEarly(server: ServerSocket, tell: Telling): Promise<undefined> {
  // The client reads nothing before it has sent its login. The login has the number 1, so the next number is
  // 2.
  tell.next = 2
  const said = await new PacketReader(() => server.next()).read()
  if (said?.payload[0] !== 0xff)
    throw new NativeError('server', 'the server hung up before the client had logged in')
  await tell.say(said.payload)
}

/** Returns undefined if the server greets with an error. The error is then sent to the client. */
async function readGreeting(
  server: ServerSocket,
  tell: Telling | undefined,
  hidden = 0,
): Promise<Greeting | undefined> {
  // Before TLS, no byte after the greeting may be read. Without a request, a server sends nothing after its
  // greeting, so such a byte may come from an attacker.
  const reader = new PacketReader(() => server.next())
  const said = await reader.read()
  if (said === undefined) throw new NativeError('server', 'the server hung up before it greeted')
  if (reader.rest.length > 0)
    throw new NativeError('server', 'the server sent bytes after its greeting, before the login')
  if (said.payload[0] === 0xff) {
    await tell?.say(said.payload)
    return undefined
  }
  return parseGreeting(said.payload, hidden)
}

/**
 * Performs the steps of the client's plugin until the client expects OK. The client's password is not
 * checked, because it is not the password of the server. Returns false if the client has gone.
 */
async function finishPlugin(
  { plugin, hasProof }: LoginRequest,
  { salt }: Greeting,
  reader: PacketReader,
  tell: Telling,
): Promise<boolean> {
  if (plugin === '' || plugin === NATIVE_PASSWORD || !hasProof) return true
  if (plugin === CACHING_SHA2) {
    await tell.say(Buffer.from([0x01, 0x03]))
    return true
  }
  await tell.say(Buffer.concat([Buffer.from(`\xfe${NATIVE_PASSWORD}\0`, 'latin1'), salt, Buffer.alloc(1)]))
  const said = await reader.read()
  if (said === undefined) return false
  refuseCommand(said)
  tell.next = said.seq + 1
  return true
}

/** Passes commands and answers on unchanged. Reads only the beginnings of packets. */
class Relay {
  readonly #client: NativeClient
  readonly #server: ServerSocket
  readonly #tell: Telling
  readonly #answers = new Answers()
  /** Whether the server has received a command and not yet begun to answer. */
  awaits = false

  constructor(client: NativeClient, server: ServerSocket, tell: Telling) {
    this.#client = client
    this.#server = server
    this.#tell = tell
  }

  async run({ fromClient, fromServer }: OpenedConnection): Promise<void> {
    const { ending } = this.#client
    this.#tell.next = undefined
    await untilAbort(Promise.race([this.#toServer(fromClient), this.#toClient(fromServer)]), ending)
    if (ending.aborted)
      await this.#tell.error({ code: 1053, state: '08S01', message: (ending.reason as Error).message })
  }

  async #toServer(first: Buffer): Promise<void> {
    const commands = new Commands()
    for (let bytes: Buffer | undefined = first; bytes !== undefined; bytes = await this.#client.next()) {
      for (const part of commands.cut(bytes)) {
        if (part.refused === undefined) {
          // This is checked before the write, because the server's answer may arrive during the write.
          if (this.#answers.awaitsFile) throw new NativeError('server', FILE_REFUSED)
          if (part.asks) this.#begin()
          await this.#server.write(part.bytes)
        } else await this.#refuse(part.refused)
      }
      if (!commands.hasQuit) continue
      // If the agent writes to a client that has just gone, hoop's command line may end, with all its
      // connections. The command line of this program has to be told of the close: drivers wait until their
      // socket is closed.
      this.#client.isSilent = !this.#client.isOurs
      return
    }
  }

  #begin(): void {
    this.awaits = true
    this.#tell.next = 1
    this.#answers.begin()
  }

  async #refuse(seq: number): Promise<void> {
    if (this.awaits)
      throw new NativeError(
        'server',
        'the client sent a forbidden command before the previous command had ended',
      )
    this.#tell.next = seq + 1
    await this.#tell.error({
      code: 1047,
      state: '08S01',
      message:
        'this port refuses this command: it changes the user, replicates, or is several commands in one packet',
    })
    this.#tell.next = undefined
  }

  async #toClient(first: Buffer): Promise<void> {
    for (let bytes: Buffer | undefined = first; bytes !== undefined; bytes = await this.#server.next()) {
      if (bytes.length === 0) continue
      const request = this.#answers.findFileRequest(bytes)
      if (request !== undefined)
        return this.#refuseFileRequest(bytes.subarray(0, Math.max(0, request)), request >= 0)
      this.awaits = false
      this.#tell.next = undefined
      await this.#client.send(bytes)
    }
    if (this.awaits) throw new NativeError('server', 'the server closed the connection before it answered')
  }

  /** @param isWhole whether the client expects a new packet next */
  async #refuseFileRequest(before: Buffer, isWhole: boolean): Promise<void> {
    if (before.length > 0) await this.#client.send(before)
    this.#tell.next = isWhole ? 1 : undefined
    throw new NativeError('server', FILE_REFUSED)
  }
}

/**
 * Cancels a query by a second connection to the server. While a query runs, the server does not notice that
 * the client has gone.
 */
async function endQuery(connectionId: string, threadId: number, target: MysqlTarget): Promise<void> {
  const late = AbortSignal.timeout(KILL_MS)
  try {
    using server = await target.dial(late)
    const greeting = await readGreeting(server, undefined)
    if (greeting === undefined) throw new NativeError('server', 'the server accepts no more connections')
    const account = await target.account(late)
    const { answer } = await logIn(server, greeting, OWN_LOGIN, account, target.tls, late)
    if (answer[0] !== 0x00) throw new NativeError('server', 'the server refused the login')
    await server.write(packet(0, Buffer.from(`\x03KILL ${threadId}`)))
    await server.next()
    await server.write(packet(0, Buffer.from([COM.quit])))
  } catch (error) {
    const text = messageFor(error)
    if (text === undefined) throw error
    target.log.warn({ connectionId, threadId, error: text }, 'cannot end the query of a client that has left')
  }
}
