import * as v from 'valibot'
import { reason as reasonShape } from '../../contract/reason.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import { REASON_HEADER, WHEN_APPROVED } from '../../wire/messages/from-client.ts'
import type { Packet } from '../../wire/packet.ts'
import type { ClientCall } from '../agents/client-call.ts'
import type { SignedIn } from '../identity.ts'
import { tooManyFailures } from '../people/identities/sign-in-attempts.ts'
import { bearerToken, type Users } from '../people/identities/users.ts'
import { type SessionRequest, fitsPackets, nativeProtocol } from '../sessions/session-request.ts'
import { connectionType } from '../settings/connections.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import { StreamRefused, decodeClient } from './client.ts'

interface Admission extends SignedIn {
  readonly connection: ConnectionSettings
  readonly verb: SessionRequest['verb']
  readonly correlationId: string | undefined
  readonly clientIp: string
  /** True if the gateway runs the script after the approval even when the client has left. */
  readonly whenApproved: boolean
  /** Empty if the client sent no reason. */
  readonly reason: string
}

/** Maximum length of a correlation id, as in REST (protocol.md 10.3). */
const MAX_CORRELATION_ID = 255

/** @throws StreamRefused */
export function signIn(call: ClientCall, users: Users): SignedIn {
  if (call.signedIn !== undefined) return call.signedIn
  const text = bearerToken(call.header('authorization')) ?? ''
  const signedIn = users.withToken(text, call.ip)
  if (signedIn !== undefined) return signedIn
  const seconds = users.attempts.refused(call.ip)
  if (seconds !== undefined) throw new StreamRefused('too-many-failed-sign-ins', tooManyFailures(seconds))
  const reason = users.whyRefused(text)
  const said = hoopWords.invalidAuthentication
  throw new StreamRefused('unauthenticated', reason === undefined ? said : `${said}: ${reason}`)
}

/**
 * Checks whether the user may open the session. The checks have the same order as in hoop.
 * @throws StreamRefused
 */
export function admit(call: ClientCall, users: Users, { user, token }: SignedIn): Admission {
  if (users.onlyReads(user)) throw new StreamRefused('not-permitted', hoopWords.accessDenied)
  const connection = users.connection(user, call.header('connection-name') ?? '')
  if (connection === undefined) throw new StreamRefused('connection-not-found', hoopWords.connectionNotFound)
  const verb = verbOf(call.header('verb'))
  checkType(connection, verb)
  const correlationId = call.header('correlation-id')
  if (correlationId !== undefined && correlationId.length > MAX_CORRELATION_ID)
    throw new StreamRefused(
      'invalid-request',
      `correlation-id must not exceed ${MAX_CORRELATION_ID} characters`,
    )
  const whenApproved = call.header(WHEN_APPROVED) === 'true'
  const reason = reasonOf(call.header(REASON_HEADER) ?? '')
  return { user, token, connection, verb, correlationId, clientIp: call.ip, whenApproved, reason }
}

/** @throws StreamRefused */
function reasonOf(header: string): string {
  const found = v.safeParse(reasonShape, decoded(header))
  if (found.success) return found.output
  throw new StreamRefused('invalid-request', `reason: ${found.issues[0].message}`)
}

function decoded(header: string): string | undefined {
  try {
    return decodeURIComponent(header)
  } catch {
    return undefined
  }
}

function verbOf(verb: string | undefined): Admission['verb'] {
  if (verb === 'exec' || verb === 'connect') return verb
  throw new StreamRefused('not-served', 'this gateway serves the verbs exec and connect')
}

/**
 * Refuses types that the verb cannot use. As in hoop, `tcp` connections have no exec. This gateway does not
 * serve `ssh`.
 * @throws StreamRefused
 */
function checkType({ name, type, subtype }: ConnectionSettings, verb: Admission['verb']): void {
  const collapsed = connectionType(type, subtype)
  if (collapsed === 'tcp' && verb === 'exec')
    throw new StreamRefused(
      'not-served',
      `the connection ${name} is of type tcp and cannot run scripts; use connect, which opens a local port`,
    )
  if (collapsed !== 'ssh') return
  throw new StreamRefused(
    'not-served',
    `this gateway serves no native connections of type ${collapsed}; set the type of connection ${name} to command-line to run its command with exec and connect`,
  )
}

export interface Opening {
  readonly request: SessionRequest
  /** Time that the client requests for a terminal that needs an approval. */
  readonly accessDuration: string | undefined
}

/** Returns undefined when the client leaves first. @throws StreamRefused */
export async function opening(
  packets: AsyncIterator<Packet, void>,
  admission: Admission,
): Promise<Opening | undefined> {
  for (;;) {
    const { done, value } = await packets.next()
    if (done === true) return undefined
    const message = decodeClient(value)
    if (message.kind === 'open')
      return { request: requestOf(admission, message), accessDuration: message.accessDuration }
    if (message.kind !== 'keepalive')
      throw new StreamRefused('invalid-request', `${value.type} was received before AgentSessionOpen`)
  }
}

function requestOf(
  { user, connection, verb, correlationId, clientIp, token, whenApproved, reason }: Admission,
  open: Extract<ReturnType<typeof decodeClient>, { kind: 'open' }>,
): SessionRequest {
  const request: SessionRequest = {
    connection,
    origin: 'client',
    verb,
    user: user.name,
    script: verb === 'exec' ? open.input : Buffer.alloc(0),
    envVars: open.clientEnvVars,
    clientArgs: open.clientArgs,
    metadata: {},
    labels: {},
    correlationId,
    clientIp,
    whenApproved,
    reason,
    askedWith: token,
    ...portOf(connection, verb, open),
  }
  if (fitsPackets(request)) return request
  throw new StreamRefused(
    'too-large',
    'script, variables or arguments are too large: one packet to the agent may have at most 17 MiB',
  )
}

/**
 * Returns a port if the type has a native protocol and the client wants no terminal, as in hoop's gateway.
 */
function portOf(
  connection: Admission['connection'],
  verb: Admission['verb'],
  {
    wantsTerminal,
    pausesConnections,
    halfCloses,
  }: Extract<ReturnType<typeof decodeClient>, { kind: 'open' }>,
): Pick<SessionRequest, 'port'> {
  const isPort = verb === 'connect' && wantsTerminal !== true
  if (!isPort || nativeProtocol(connection) === undefined) return {}
  return { port: { ...(pausesConnections && { pausesConnections }), ...(halfCloses && { halfCloses }) } }
}
