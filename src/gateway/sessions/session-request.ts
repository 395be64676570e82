import { CLIENT_ESCAPES } from '../../policy/client-escapes.ts'
import type { ChosenValue } from '../../template/options-from.ts'
import type { ValuePlace } from '../../template/runbook.ts'
import type { OpenMessage, SessionId } from '../../wire/messages/message.ts'
import { isNativeProtocol, type ClientFlags, type NativeProtocolName } from '../../wire/messages/native.ts'
import { MAX_MESSAGE_BYTES } from '../../wire/packet.ts'
import { WITHOUT_PROTECTION } from '../../wire/params.ts'
import { connectionType } from '../settings/connections.ts'
import { guardRailRules } from './guardrails.ts'
import type { AccessToken } from '../identity.ts'
import type { NewSession } from '../history/session.ts'
import type { ConnectionSettings } from '../settings/settings.ts'

export interface SessionRequest {
  readonly connection: ConnectionSettings
  readonly origin: 'client' | 'client-api' | 'client-api-runbooks'
  readonly verb: 'exec' | 'connect'
  readonly user: string
  /** Empty for a terminal. */
  readonly script: Buffer
  readonly envVars: ReadonlyMap<string, string>
  readonly clientArgs: readonly string[]
  /** Set when the client opens a port for native clients; otherwise `connect` is a terminal. */
  readonly port?: ClientFlags
  /** Why the user asks. Undefined or empty if the user gave no reason. */
  readonly reason?: string | undefined
  readonly metadata: Readonly<Record<string, unknown>>
  readonly labels: Readonly<Record<string, string>>
  readonly sessionBatchId?: string | undefined
  readonly correlationId?: string | undefined
  /** Set if the id was made before the session, because a Jira issue contains it. */
  readonly sid?: SessionId | undefined
  /** True if the caller of a runbook has added arguments or variables. Undefined if that is unknown. */
  readonly bringsInput?: boolean | undefined
  /** For the audit log. */
  readonly clientIp?: string | undefined
  /** For the audit log. */
  readonly askedWith?: Pick<AccessToken, 'id' | 'name' | 'sha256'> | undefined
  /** True if the gateway itself runs the session after the approval. */
  readonly whenApproved?: boolean | undefined
  /** Secrets that the script may contain, besides secrets in variables. */
  readonly secretValues?: readonly Buffer[]
  /** How a runbook made the script. Approvers see it. */
  readonly rendered?: RenderedOrigin
  /** Values that have to be in lists at the time of the run. */
  readonly choices?: ChosenValues | undefined
  /** True if the session reads a list of choices: it needs no locks, and lists of sessions hide it. */
  readonly isList?: boolean | undefined
}

export interface ChosenValues {
  /** Full id of the commit that has the lists. */
  readonly commit: string
  readonly values: readonly ChosenValue[]
}

export interface RenderedOrigin {
  /** Places of values in the script. */
  readonly places: readonly ValuePlace[]
  /** Hash of the text of the runbook, in hex. */
  readonly sha256: string
}

/** Returns the name of the connection's `access` setting that has to allow the request. */
export function useOf({
  origin,
  verb,
}: Pick<SessionRequest, 'origin' | 'verb'>): 'exec' | 'runbooks' | 'connect' {
  return origin === 'client-api-runbooks' ? 'runbooks' : verb
}

/** @param shown replaces the secrets in a text */
export function newSession(
  id: SessionId,
  request: SessionRequest,
  shown: (text: Buffer) => Buffer,
): NewSession {
  const { connection, sessionBatchId, correlationId } = request
  const script = shown(request.script)
  return {
    id,
    origin: request.origin,
    verb: request.verb,
    connection: connection.name,
    connectionType: connection.type,
    ...(connection.subtype !== undefined && { connectionSubtype: connection.subtype }),
    ...(Object.keys(connection.tags).length > 0 && { connectionTags: connection.tags }),
    user: request.user,
    ...(request.port !== undefined && { isPort: true as const }),
    ...(request.isList === true && { isList: true as const }),
    script,
    scriptSize: scriptSize(script),
    labels: request.labels,
    metadata: request.metadata,
    ...shownReason(request, shown),
    ...(sessionBatchId !== undefined && { sessionBatchId }),
    ...(correlationId !== undefined && { correlationId }),
    startedAt: new Date(),
  }
}

/** Returns the reason with its secrets replaced; an empty object if there is none. */
export function shownReason(
  { reason = '' }: Pick<SessionRequest, 'reason'>,
  shown: (text: Buffer) => Buffer,
): { readonly reason?: string } {
  return reason === '' ? {} : { reason: shown(Buffer.from(reason)).toString('utf8') }
}

/** The script is sent later, after the agent has opened the session. */
export function openMessage(
  sid: SessionId,
  request: Pick<
    SessionRequest,
    'connection' | 'origin' | 'verb' | 'user' | 'envVars' | 'clientArgs' | 'port'
  >,
): OpenMessage {
  const { connection, user, port } = request
  const type = connectionType(connection.type, connection.subtype)
  return {
    kind: 'open',
    sid,
    connectionType: type,
    requestPort: '',
    clientEnvVars: request.envVars,
    // Marks a terminal, because the connection's type alone may also mean a port.
    ...(request.verb === 'connect' && port === undefined && { wantsTerminal: true as const }),
    ...port,
    params: {
      connectionName: connection.name,
      connectionType: type,
      connectionSubType: connection.subtype ?? '',
      userId: user,
      userEmail: user,
      envVars: withEscapes(connection),
      cmdList: connection.command,
      clientArgs: request.clientArgs,
      clientVerb: request.verb,
      clientOrigin: request.origin,
      ...WITHOUT_PROTECTION,
      guardRailRules: guardRailRules(connection.guardrails),
      dlpMode: 'best-effort',
      ...connection.masking,
      plainEnvVars: connection.plain,
    },
  }
}

/**
 * Returns the variables of the connection. If client escapes are not allowed, a variable tells the agent to
 * block them. With hoop's gateway, an administrator sets this variable by hand.
 */
export function withEscapes({ secrets, access }: ConnectionSettings): ReadonlyMap<string, string> {
  if (access.clientEscapes === 'allow') return secrets
  return new Map([...secrets, [`envvar:${CLIENT_ESCAPES}`, Buffer.from('block').toString('base64')]])
}

/** Allowance for uncounted bytes: length fields, type descriptions, and fields with a limit of their own. */
const OVERHEAD_BYTES = 256 * 1024

/** Tests if the packets are small enough: a larger packet ends the agent's stream and all its sessions. */
export function fitsPackets(
  request: Pick<SessionRequest, 'connection' | 'envVars' | 'clientArgs' | 'script'>,
): boolean {
  const variables = mapBytes(request.envVars) + mapBytes(request.connection.secrets)
  // Arguments are sent twice: in the connection's parameters, and in a field of the packet.
  const { masking, guardrails } = request.connection
  const masked = masking?.dataMaskingEntityTypesData?.length ?? 0
  const open =
    variables + masked + (guardRailRules(guardrails)?.length ?? 0) + 2 * argumentBytes(request.clientArgs)
  return Math.max(open, request.script.length) + OVERHEAD_BYTES <= MAX_MESSAGE_BYTES
}

/** Bytes that the request holds in memory until the session ends. */
export function requestBytes(request: SessionRequest): number {
  const { envVars, clientArgs, script, labels, metadata, sessionBatchId } = request
  const told = Buffer.byteLength(JSON.stringify([labels, metadata, sessionBatchId]))
  return script.length + mapBytes(envVars) + argumentBytes(clientArgs) + told
}

function argumentBytes(clientArgs: readonly string[]): number {
  return clientArgs.reduce((sum, argument) => sum + Buffer.byteLength(argument) + 8, 0)
}

function mapBytes(map: ReadonlyMap<string, string>): number {
  return [...map].reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value) + 16,
    0,
  )
}

const SPACE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** JSON escapes these with one letter: `\b`, `\t`, `\n`, `\f`, `\r`. */
const SHORT_ESCAPES: ReadonlySet<number> = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d])
const LONG_ESCAPE = '\\u0000'.length

/** Returns the length of the script as JSON text without the quotes. hoop's gateway reports the same size. */
function scriptSize(script: Buffer): number {
  let size = 0
  for (const byte of script) size += charactersOf(byte)
  return size
}

function charactersOf(byte: number): number {
  if (byte === QUOTE || byte === BACKSLASH) return 2
  if (byte < SPACE) return SHORT_ESCAPES.has(byte) ? 2 : LONG_ESCAPE
  // Continuation bytes of a UTF-8 character do not count.
  return (byte & 0xc0) === 0x80 ? 0 : 1
}

/** What keeps a connection from a use that its settings of access allow. */
export interface UseObstacle {
  readonly reason: string
  /** The setting of the connection that decides. */
  readonly setting: 'guardrails' | 'masking' | 'type'
}

/** Returns why the agent refuses a terminal that the settings of access allow, or undefined. */
export function terminalObstacle({ masking, guardrails }: ConnectionSettings): UseObstacle | undefined {
  if (guardrails.some(({ input }) => input.length > 0))
    return {
      reason: 'the guardrails of this connection cannot check typed input before it takes effect',
      setting: 'guardrails',
    }
  if (masking?.dlpMode !== 'strict') return undefined
  return {
    reason: 'the output of this connection is masked (strict), and a terminal cannot be masked',
    setting: 'masking',
  }
}

/** Returns the protocol of the connection's native clients; undefined if the type has none. */
export function nativeProtocol({ type, subtype }: ConnectionSettings): NativeProtocolName | undefined {
  const collapsed = connectionType(type, subtype)
  return isNativeProtocol(collapsed) ? collapsed : undefined
}

/** Returns why no port for native clients can be opened although the settings of access allow it, or undefined. */
export function portObstacle(connection: ConnectionSettings): UseObstacle | undefined {
  const { type, subtype, guardrails, masking } = connection
  const protocol = nativeProtocol(connection)
  if (protocol === undefined)
    return {
      reason: `connections of type ${connectionType(type, subtype)} have no port for native clients`,
      setting: 'type',
    }
  if (protocol !== 'tcp' || (guardrails.length === 0 && masking === undefined)) return undefined
  return {
    reason: 'guardrails and masking of this connection cannot be enforced on tcp connections',
    setting: guardrails.length > 0 ? 'guardrails' : 'masking',
  }
}
