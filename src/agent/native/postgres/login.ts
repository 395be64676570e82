import { createHash } from 'node:crypto'
import { NativeError } from '../native-error.ts'
import type { Account, Target } from '../protocol.ts'
import type { ServerSocket } from '../server-socket.ts'
import { serverTls } from '../server-tls.ts'
import { firstMessage, messageOf, encodeCString, type, type Message } from './messages.ts'
import { endPointOf, Scram, type Binding } from './scram.ts'
import { sslRequest } from './startup.ts'

/** Maximum length in bytes of a server's message during the login. */
const MAX_LOGIN_BYTES = 1024 * 1024

export class LoginMessages {
  readonly #server: ServerSocket
  #bytes = Buffer.alloc(0)

  constructor(server: ServerSocket) {
    this.#server = server
  }

  /** @throws NativeError, also if the server closes the connection */
  async next(): Promise<Message> {
    for (;;) {
      const message = firstMessage(this.#bytes, MAX_LOGIN_BYTES)
      if (message !== undefined) {
        this.#bytes = this.#bytes.subarray(message.bytes.length)
        return message
      }
      const more = await this.#server.next()
      if (more === undefined)
        throw new NativeError('server', 'the server closed the connection during the login')
      this.#bytes = Buffer.concat([this.#bytes, more])
    }
  }

  /** Bytes after the messages that were read. */
  get rest(): Buffer {
    return this.#bytes
  }
}

/**
 * For each authentication request, the requests that may follow it. The end of the login (0) may always
 * follow. A server may use one method, once. Otherwise it could switch to a weaker method, or make the agent
 * derive keys for ever.
 */
const FOLLOWING: ReadonlyMap<number, readonly number[]> = new Map([
  [3, []],
  [5, []],
  [10, [11]],
  [11, [12]],
  [12, []],
])
const FIRST: readonly number[] = [3, 5, 10]

/** @throws NativeError */
export async function secure(server: ServerSocket, target: Target, gone: AbortSignal): Promise<void> {
  const { mode, options } = serverTls(target)
  if (mode === 'disable') return
  await server.write(sslRequest())
  const answer = await server.next()
  if (answer?.length === 1 && answer[0] === 0x53) {
    await server.startTls(options, gone)
    return
  }
  if (answer?.length !== 1 || answer[0] !== 0x4e)
    throw new NativeError('server', 'the server sent an invalid answer to the request for TLS')
  if (mode !== 'prefer') throw new NativeError('server', 'server does not support SSL, but SSL was required')
}

/**
 * @param pass sends bytes to the client: notices, and the negotiation of a lower protocol version
 * @returns AuthenticationOk, or the server's error
 * @throws NativeError
 */
export async function logIn(
  server: ServerSocket,
  messages: LoginMessages,
  { user, password }: Account,
  pass: (bytes: Buffer) => Promise<void> | undefined,
): Promise<Message> {
  let scram: Scram | undefined
  let following = FIRST
  for (;;) {
    const message = await messages.next()
    if (message.type === type.error) return message
    if (message.type === type.notice || message.type === type.negotiateVersion) {
      await pass(message.bytes)
      continue
    }
    if (message.type !== type.authentication || message.content.length < 4)
      throw new NativeError('protocol', 'the server sent no authentication request')
    const request = message.content.readUInt32BE(0)
    const data = message.content.subarray(4)
    if (FOLLOWING.has(request) && !following.includes(request))
      throw new NativeError(
        'protocol',
        `the server sent an authentication request in the wrong order (${request})`,
      )
    following = FOLLOWING.get(request) ?? following
    switch (request) {
      case 0:
        if (scram?.isVerified === false)
          throw new NativeError(
            'server',
            'the server did not prove that it knows the password (SCRAM was not finished)',
          )
        return message
      case 3:
        if (server.certificate === undefined)
          throw new NativeError(
            'server',
            'the server asks for the password in clear text; the agent sends such a password only over TLS',
          )
        await server.write(messageOf(type.password, encodeCString(password)))
        break
      case 5:
        await server.write(messageOf(type.password, encodeCString(md5Answer(user, password, data))))
        break
      case 10: {
        const chosen = mechanism(data, server.certificate)
        scram = new Scram(password, chosen.binding)
        const first = Buffer.from(scram.first)
        const length = Buffer.alloc(4)
        length.writeUInt32BE(first.length)
        await server.write(messageOf(type.password, encodeCString(chosen.name), length, first))
        break
      }
      case 11:
        if (scram === undefined)
          throw new NativeError('protocol', 'the server continues a SASL login that has not begun')
        await server.write(messageOf(type.password, Buffer.from(await scram.answer(data.toString()))))
        break
      case 12:
        if (scram === undefined)
          throw new NativeError('protocol', 'the server ends a SASL login that has not begun')
        scram.verify(data.toString())
        break
      default:
        throw new NativeError(
          'server',
          `the server asks for an authentication method that this agent does not support (${request})`,
        )
    }
  }
}

function md5Answer(user: string, password: string, salt: Buffer): string {
  const md5 = (...parts: readonly (string | Buffer)[]) => {
    const hash = createHash('md5')
    for (const part of parts) hash.update(part)
    return hash.digest('hex')
  }
  return `md5${md5(md5(password, user), salt.subarray(0, 4))}`
}

function mechanism(
  offered: Buffer,
  certificate: Buffer | undefined,
): { readonly name: string; readonly binding: Binding } {
  const names = offered.toString('latin1').split('\0')
  const none = Buffer.alloc(0)
  const endPoint = certificate && endPointOf(certificate)
  if (names.includes('SCRAM-SHA-256-PLUS') && endPoint !== undefined)
    return { name: 'SCRAM-SHA-256-PLUS', binding: { header: 'p=tls-server-end-point,,', data: endPoint } }
  if (!names.includes('SCRAM-SHA-256'))
    throw new NativeError(
      'server',
      'the server offers no SASL mechanism that this agent supports (SCRAM-SHA-256)',
    )
  // `y` says that the agent can bind, but the server has offered no binding. If the server has in fact
  // offered one, it then knows that an attacker has removed the offer.
  const hidesNothing = names.includes('SCRAM-SHA-256-PLUS') || endPoint === undefined
  return { name: 'SCRAM-SHA-256', binding: { header: hidesNothing ? 'n,,' : 'y,,', data: none } }
}
