import type { FastifyReply } from 'fastify'
import { hoopWords } from '../../wire/gateway-words.ts'
import type { AccessToken, SignedIn } from '../identity.ts'
import type { LiveUses } from '../people/identities/live-uses.ts'
import { bearerToken, type Users } from '../people/identities/users.ts'
import { errorBody, HttpError, TooManyFailures } from './http/http-error.ts'

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Finds the user by `Authorization: Bearer` or `Api-Key`. @throws HttpError 401, 429 */
export function authenticate(users: Users, headers: Headers, ip: string): SignedIn {
  if (headers['authorization'] === undefined && headers['api-key'] === undefined)
    throw new HttpError('unauthenticated', hoopWords.accessDenied)
  return signedInWith(
    users,
    bearerToken(text(headers['authorization'])) ?? text(headers['api-key']) ?? '',
    ip,
  )
}

/** Whether the request says by itself who asks; then its cookie is nothing. */
export function hasToken(headers: Headers): boolean {
  return [headers['authorization'], headers['api-key']].some((header) => text(header) !== undefined)
}

/** @throws HttpError 401, 429 */
export function signedInWith(users: Users, token: string, ip: string): SignedIn {
  const signedIn = users.withToken(token, ip)
  if (signedIn !== undefined) return signedIn
  const reason = users.whyRefused(token)
  const said = hoopWords.accessDenied
  throw failedSignIn(users, ip, reason === undefined ? said : `${said}: ${reason}`)
}

/** Counts it. @returns what to answer: after too many only that they were too many */
export function failedSignIn({ attempts }: Users, ip: string, message: string): HttpError {
  const seconds = attempts.refused(ip)
  return seconds === undefined ? new HttpError('unauthenticated', message) : new TooManyFailures(seconds)
}

function text(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && header !== '' ? header : undefined
}

/** Ends the request when its token is no longer accepted, whatever it does: one that waits is answered, a stream cut off. */
export function endWithToken(live: LiveUses, token: AccessToken, reply: FastifyReply): void {
  const use = live.begin(token, (reason) => end(reply, reason))
  reply.raw.once('close', () => use[Symbol.dispose]())
}

function end(reply: FastifyReply, reason: string): void {
  if (reply.sent || reply.raw.headersSent) return void reply.raw.destroy()
  const error = new HttpError('token-ended', `${reason} before this was answered: what it began goes on`)
  void reply.header('connection', 'close').code(error.status).send(errorBody(error))
}
