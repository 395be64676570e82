import type { FastifyInstance } from 'fastify'
import { firstOption, type Query } from '../http/query.ts'
import type { RestServices } from '../services.ts'
import { asPage } from './oidc.ts'
import { codePage, messagePage, sendPage, startPage } from './pages.ts'

const DEVICE = '/api/login/device'

/** A confirmation carries up to 200 names of groups, sealed. */
const CONFIRMATION_BYTES = 64 * 1024

/** What the person sees whom a command line without a browser asks for. */
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
