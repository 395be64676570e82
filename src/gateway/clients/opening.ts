import type { Packet } from '../../wire/packet.ts'
import { fitsPackets, type SessionRequest } from '../sessions/session-request.ts'
import type { Admission } from './admission.ts'
import { isNativeProtocol } from '../../wire/messages/native.ts'
import { connectionType } from '../settings/connection-type.ts'
import { decodeClient } from './client.ts'
import { Refused } from './refused.ts'

/** What a client wants to open. */
export interface Opening {
  readonly request: SessionRequest
  /** For how long it wants a terminal that has to be approved; undefined for the usual time. */
  readonly accessDuration: string | undefined
}

/** Waits for the packet that opens the session; undefined when the client leaves before. @throws Refused */
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
      throw new Refused('invalid-request', `${value.type} came before AgentSessionOpen`)
  }
}

function requestOf(
  { user, connection, verb, correlationId, clientIp, token, whenApproved }: Admission,
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
    askedWith: token,
    ...portOf(connection, verb, open),
  }
  if (fitsPackets(request)) return request
  throw new Refused(
    'too-large',
    'script, variables or arguments are too large: what goes to the agent in one packet may have 17 MiB',
  )
}

/** Clients that ask for no terminal open a port, where the type has a protocol of its own, as at hoop's gateway. */
function portOf(
  { type, subtype }: Admission['connection'],
  verb: Admission['verb'],
  { wantsTerminal, pausesConnections }: Extract<ReturnType<typeof decodeClient>, { kind: 'open' }>,
): Pick<SessionRequest, 'port'> {
  const isPort = verb === 'connect' && wantsTerminal !== true
  if (!isPort || !isNativeProtocol(connectionType(type, subtype))) return {}
  return { port: { pausesConnections: pausesConnections === true } }
}
