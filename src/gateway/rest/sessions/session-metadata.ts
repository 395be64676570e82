import type { FastifyInstance } from 'fastify'
import { hoopWords } from '../../../wire/gateway-words.ts'
import { checkMetadata } from '../../executions/limits.ts'
import { sessionStreamContract } from '../../../contract/sessions.ts'
import { readExecBody } from '../body/body.ts'
import { HttpError } from '../http/http-error.ts'
import type { RestServices } from '../services.ts'

/** Replaces the metadata of one's own session. Not even admins may do that to those of others, as in hoop. */
export function metadataRoute(app: FastifyInstance, { history }: RestServices): void {
  app.patch<{ Params: { id: string } }>('/api/sessions/:id/metadata', ({ user, params, body }, reply) => {
    const session = history.session(params.id)
    if (session?.user !== user.name || body === null || body === undefined)
      throw new HttpError('session-not-found', hoopWords.notFound)
    const { metadata } = readExecBody(sessionStreamContract.metadata.body, body)
    checkMetadata(metadata)
    if (!history.setMetadata(session.id, metadata))
      throw new HttpError('session-not-found', hoopWords.notFound)
    return reply.code(204).send()
  })
}
