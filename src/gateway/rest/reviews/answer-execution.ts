import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ScriptExecution } from '../../sessions/executions.ts'
import { executeOrAsk, type ExecAnswer, type ExecutionServices } from '../../executions/reviewed-execution.ts'

const RESPOND_ASYNC = 'respond-async'

/**
 * Runs it, or asks those who have to approve it. Answers with its end, or earlier when it takes too long or the caller
 * does not want to wait.
 * @param file of a runbook
 */
export async function answerExecution(
  services: ExecutionServices,
  execution: ScriptExecution,
  {
    headers,
    user,
    token,
    callerAddress,
  }: Pick<FastifyRequest, 'headers' | 'user' | 'token' | 'callerAddress'>,
  reply: FastifyReply,
  file?: string,
): Promise<FastifyReply> {
  const asked = { user, execution: { ...execution, clientIp: callerAddress, askedWith: token }, file }
  return answerInTime(headers, reply, (waitMs) => executeOrAsk(services, asked, waitMs))
}

/** @param run answers with the end, or with 202 after so many milliseconds */
export async function answerInTime(
  headers: FastifyRequest['headers'],
  reply: FastifyReply,
  run: (waitMs: number | undefined) => Promise<ExecAnswer>,
): Promise<FastifyReply> {
  const isAsync = prefersAsync(headers['prefer'])
  const { status, body } = await run(isAsync ? 0 : undefined)
  if (isAsync && status === 202) reply.header('preference-applied', RESPOND_ASYNC)
  return reply.code(status).send(body)
}

/** `Prefer: respond-async` (RFC 7240): the session's id at once, since its output is followed elsewhere. */
function prefersAsync(prefer: string | readonly string[] | undefined): boolean {
  const preferences = [prefer ?? []].flat().join(',').split(',')
  return preferences.some((preference) => preference.split(/[=;]/)[0]?.trim().toLowerCase() === RESPOND_ASYNC)
}
