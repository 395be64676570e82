import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import { DEVICE_MS, POLL_MS } from '../../../../people/sign-in/device-requests.ts'
import { readExecBody } from '../../../body/body.ts'
import { firstOption, type Query } from '../../../http/query.ts'
import type { RestServices } from '../../../services.ts'
import { SIGN_IN_BODY_BYTES } from '../sign-in.ts'
import { asPage } from './oidc.ts'
import { codePage, messagePage, sendPage, startPage } from './pages.ts'

const DEVICE = '/api/login/device'

/** A confirmation carries up to 200 names of groups, sealed. */
const CONFIRMATION_BYTES = 64 * 1024

export const deviceBody = v.object(
  { says: v.optional(v.pipe(v.string('must be a text'), v.maxLength(200, 'is too long')), '') },
  'must be a JSON object',
)
export const deviceTokenBody = v.object(
  { device_code: v.pipe(v.string('must be a text'), v.maxLength(200, 'is too long')) },
  'must be a JSON object',
)

/** For a command line without a browser: it asks, and asks again until a person has decided in any browser. */
export function deviceRoutes(app: FastifyInstance, { signIn, webUrl }: RestServices): void {
  app.post(DEVICE, { bodyLimit: SIGN_IN_BODY_BYTES }, ({ body, callerAddress }) => {
    const { says } = readExecBody(deviceBody, body ?? {})
    const { secret, code } = signIn.addDevice(callerAddress, says)
    const page = `${webUrl()}${DEVICE}`
    return {
      ...{ device_code: secret, user_code: code, verification_uri: page },
      verification_uri_complete: `${page}?code=${code}`,
      ...{ expires_in: DEVICE_MS / 1000, interval: POLL_MS / 1000 },
    }
  })

  app.post(`${DEVICE}/token`, { bodyLimit: SIGN_IN_BODY_BYTES }, (request, reply) => {
    const { device_code: secret } = readExecBody(deviceTokenBody, request.body)
    const issued = signIn.deviceOutcome(secret)
    if (issued === undefined) return reply.code(202).send({ status: 'waiting' })
    request.auditedActor = issued.token.user
    return reply.send({ token: issued.text, user: issued.token.user })
  })
}

/** What the person sees. */
export function devicePages(app: FastifyInstance, { signIn }: RestServices): void {
  app.get<{ Querystring: Query }>(DEVICE, ({ query, callerAddress }, reply) =>
    asPage(reply, () => {
      const code = firstOption(query, 'code')
      const page = code === undefined ? codePage() : startPage(signIn.deviceWithCode(code, callerAddress))
      return sendPage(reply, page)
    }),
  )

  app.get<{ Querystring: Query }>(`${DEVICE}/start`, ({ query, callerAddress }, reply) =>
    asPage(reply, async () => {
      const { code } = signIn.deviceWithCode(firstOption(query, 'code') ?? '', callerAddress)
      return reply.redirect(await signIn.begin({ kind: 'device', code }), 302)
    }),
  )

  void app.register((withForms, _, done) => {
    decisionRoute(withForms, signIn)
    done()
  })
}

function decisionRoute(app: FastifyInstance, signIn: RestServices['signIn']): void {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: CONFIRMATION_BYTES },
    (_, body, parsed) => parsed(null, new URLSearchParams(body.toString())),
  )
  app.post(`${DEVICE}/decide`, { bodyLimit: CONFIRMATION_BYTES }, (request, reply) =>
    asPage(reply, () => {
      const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
      const isAllowed = form.get('decision') === 'allow'
      const name = signIn.decideDevice(form.get('confirmation') ?? '', isAllowed)
      request.auditedActor = name
      const said = isAllowed
        ? `The command line signs in as ${name} now.`
        : 'Refused. The command line gets nothing.'
      return sendPage(reply, messagePage(`${said} You can close this page.`))
    }),
  )
}
