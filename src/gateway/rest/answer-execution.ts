import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ScriptExecution } from '../sessions/executions.ts'
import type { RestServices } from './services.ts'

const RESPOND_ASYNC = 'respond-async'

/** Runs it and answers: with its end, or earlier when it takes too long or the caller does not want to wait. */
export async function answerExecution(
  { executions }: Pick<RestServices, 'executions'>,
  execution: ScriptExecution,
  { headers }: Pick<FastifyRequest, 'headers'>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const isAsync = prefersAsync(headers['prefer'])
  const { status, body } = await executions.execute(execution, isAsync ? 0 : undefined)
  if (isAsync && status === 202) reply.header('preference-applied', RESPOND_ASYNC)
  return reply.code(status).send(body)
}

/** `Prefer: respond-async` (RFC 7240): the session's id at once, since its output is followed elsewhere. */
function prefersAsync(prefer: string | readonly string[] | undefined): boolean {
  const preferences = [prefer ?? []].flat().join(',').split(',')
  return preferences.some((preference) => preference.split(/[=;]/)[0]?.trim().toLowerCase() === RESPOND_ASYNC)
}
