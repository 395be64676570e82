import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import { hoopWords } from '../../../../wire/gateway-words.ts'
import { readExecBody } from '../../body/body.ts'
import type { RestServices } from '../../services.ts'
import { failedSignIn } from './authentication.ts'

const SIGN_IN = '/api/localauth/login'

/** Nobody without a token may send more than this. */
export const SIGN_IN_BODY_BYTES = 8 * 1024

const required = v.pipe(v.string('must be a text'), v.nonEmpty('must not be empty'))
export const signInBody = v.object({ email: required, password: required }, 'must be a JSON object')

/** Answers `hoop login`: the email is the user's name, the password is the token, which is also the answer. */
export function signInRoutes(app: FastifyInstance, { users }: RestServices): void {
  app.post(SIGN_IN, { bodyLimit: SIGN_IN_BODY_BYTES }, async (request, reply) => {
    const { email, password } = readExecBody(signInBody, request.body)
    // One text for both, unlike hoop's, so that nobody learns which names exist.
    if (users.withToken(password, request.callerAddress)?.user.name !== email)
      throw failedSignIn(users, request.callerAddress, hoopWords.invalidCredentials)
    request.auditedActor = email
    return reply
      .header('token', password)
      .header('access-control-expose-headers', 'Token')
      .send({ status: 'ok' })
  })
}
