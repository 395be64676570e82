import type { SystemRequest } from '../../wire/messages/system-request.ts'
import { closingRefused, notRun } from '../session/closing.ts'
import { isRefusal } from '../opening/request.ts'
import { HOOK_ERROR_CODE, refusedAnswer, systemNameOf } from './answer.ts'
import { executeRequest, type SystemEnd, type SystemServices } from './execute.ts'
import type { SystemOwner } from './system-owner.ts'

/** What only an agent with database drivers does. */
const UNSERVED = {
  provision: 'this agent does not provision database roles: use an agent that does',
  pgmanager: 'this agent does not manage database roles: use an agent that does',
} as const

/**
 * What becomes of a request, to its end. Never rejects.
 * @param stopping nothing is to begin any more
 */
export async function outcomeOf(
  request: SystemRequest,
  owner: SystemOwner,
  system: SystemServices,
  stopping: boolean,
): Promise<SystemEnd> {
  if (request.kind === 'malformed') return refused(request, request.reason)
  if (request.kind === 'provision' || request.kind === 'pgmanager')
    return refused(request, UNSERVED[request.kind])
  if (stopping) return refused(request, 'this agent is stopping')
  try {
    return await executeRequest(request, owner, system)
  } catch (error) {
    const { message, stack } = error as Error
    if (isRefusal(error as Error)) return refused(request, message)
    system.services.log.error(
      { sid: owner.sid, error: message, stack },
      'system request failed: this is a bug',
    )
    return refused(request, 'internal error of the agent, its log has more')
  }
}

function refused(request: SystemRequest, reason: string): SystemEnd {
  const closing = closingRefused(reason)
  const told = systemNameOf(request) === 'hook' ? { ...closing, exitCode: HOOK_ERROR_CODE } : closing
  return { ended: notRun(told, 'refused'), reply: refusedAnswer(request, reason) }
}
