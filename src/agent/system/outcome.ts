import type { BareExecRequest, HookRequest, SystemRequest } from '../../wire/messages/system-request.ts'
import type { SystemReply } from '../../wire/messages/system-reply.ts'
import { NO_EXIT_CODE } from '../../runtime/exit-status.ts'
import { endingRefused, hasRun, type Ending } from '../running/ending.ts'
import type { RunningCommand } from '../running/running-command.ts'
import { answerOf, HOOK_ERROR_CODE, refusedAnswer, systemNameOf } from './answer.ts'
import { Captured } from './captured.ts'
import { HOOK_OUTPUT_BYTES } from './limits.ts'

/** How a request ended, for the journal and for the gateway. */
export interface SystemEnd {
  readonly ending: Ending
  readonly reply: SystemReply
}

/** Requests that only an agent with database drivers can serve, and the answer to them. */
const UNSERVED = {
  provision: 'this agent does not provision database roles: use an agent that does',
  pgmanager: 'this agent does not manage database roles: use an agent that does',
} as const

/** Whether the request has a command to run. */
export function hasCommand(request: SystemRequest): request is HookRequest | BareExecRequest {
  return request.kind === 'hook' || request.kind === 'bare-exec'
}

/** Runs the command of a request to its end. Never rejects. */
export async function executed(
  request: HookRequest | BareExecRequest,
  command: RunningCommand,
): Promise<SystemEnd> {
  const captured = new Captured(request.kind === 'hook' ? HOOK_OUTPUT_BYTES : Infinity)
  for await (const { data } of command.output) captured.add(Buffer.from(data))
  const ending = await command.ended
  // What a rule forbids has no text of its own: the line about the rule went out as output.
  const reason = ending.blocked === undefined ? ending.message : captured.text().trim()
  if (!hasRun(ending) && ending.exitCode === NO_EXIT_CODE) return refused(request, reason, ending)
  const reply = hasRun(ending) ? answerOf(request, ending, captured) : refusedAnswer(request, ending.message)
  return { ending, reply }
}

/** The end of a request that is not run. */
export function refusedRequest(request: SystemRequest): SystemEnd {
  switch (request.kind) {
    case 'malformed':
      return refused(request, request.reason)
    case 'provision':
    case 'pgmanager':
      return refused(request, UNSERVED[request.kind])
    case 'hook':
    case 'bare-exec':
      return refused(request, 'this agent is stopping')
  }
}

function refused(request: SystemRequest, reason: string, ending = endingRefused(reason)): SystemEnd {
  const told = systemNameOf(request) === 'hook' ? { ...ending, exitCode: HOOK_ERROR_CODE } : ending
  return { ending: told, reply: refusedAnswer(request, reason) }
}
