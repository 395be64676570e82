import type { FastifyReply } from 'fastify'
import type { AccessToken } from '../identity.ts'
import type { LiveUses } from '../people/identities/live-uses.ts'
import { errorBody, HttpError } from './http/http-error.ts'

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
