import { hoopWords } from '../../wire/gateway-words.ts'
import { WHEN_APPROVED } from '../../wire/messages/from-client.ts'
import { connectionType } from '../settings/connection-type.ts'
import type { ClientCall } from '../agents/client-call.ts'
import type { SessionRequest } from '../sessions/session-request.ts'
import type { SignedIn } from '../identity.ts'
import type { ConnectionSettings } from '../settings/settings.ts'
import { bearerToken, type Users } from '../people/identities/users.ts'
import { tooManyFailures } from '../people/identities/sign-in-attempts.ts'
import { Refused } from './refused.ts'

/** What a client's metadata says, checked. */
export interface Admission extends SignedIn {
  readonly connection: ConnectionSettings
  readonly verb: SessionRequest['verb']
  readonly correlationId: string | undefined
  readonly clientIp: string
  /** Whether the gateway runs the script once it is approved, also when the client has left. */
  readonly whenApproved: boolean
}

/** The same limit as in REST (protocol.md 10.3). */
const MAX_CORRELATION_ID = 255

/** Who it is. @throws Refused */
export function signIn(call: ClientCall, users: Users): SignedIn {
  if (call.signedIn !== undefined) return call.signedIn
  const text = bearerToken(call.header('authorization')) ?? ''
  const signedIn = users.withToken(text, call.ip)
  if (signedIn !== undefined) return signedIn
  const seconds = users.attempts.refused(call.ip)
  if (seconds !== undefined) throw new Refused('too-many-failed-sign-ins', tooManyFailures(seconds))
  const reason = users.whyRefused(text)
  const said = hoopWords.invalidAuthentication
  throw new Refused('unauthenticated', reason === undefined ? said : `${said}: ${reason}`)
}

/** Checks the rest of a client's metadata, in the same order as hoop. @throws Refused */
export function admit(call: ClientCall, users: Users, { user, token }: SignedIn): Admission {
  if (users.onlyReads(user)) throw new Refused('not-permitted', hoopWords.accessDenied)
  const connection = users.connection(user, call.header('connection-name') ?? '')
  if (connection === undefined) throw new Refused('connection-not-found', hoopWords.connectionNotFound)
  const verb = verbOf(call.header('verb'))
  checkType(connection, verb)
  const correlationId = call.header('correlation-id')
  if (correlationId !== undefined && correlationId.length > MAX_CORRELATION_ID)
    throw new Refused('invalid-request', `correlation-id must not exceed ${MAX_CORRELATION_ID} characters`)
  const whenApproved = call.header(WHEN_APPROVED) === 'true'
  return { user, token, connection, verb, correlationId, clientIp: call.ip, whenApproved }
}

function verbOf(verb: string | undefined): Admission['verb'] {
  if (verb === 'exec' || verb === 'connect') return verb
  throw new Refused('not-served', 'this gateway serves the verbs exec and connect')
}

/** hoop allows no exec for these, and of ssh nothing is served here. */
function checkType({ name, type, subtype }: ConnectionSettings, verb: Admission['verb']): void {
  const collapsed = connectionType(type, subtype)
  if (collapsed === 'tcp' && verb === 'exec')
    throw new Refused(
      'not-served',
      `${name} is of type tcp, where no script can run: connect opens a port for its clients`,
    )
  if (collapsed !== 'ssh') return
  throw new Refused(
    'not-served',
    `this gateway serves no native connections of type ${collapsed}: with another type (type: command-line) exec and connect run the command of ${name}`,
  )
}
