import type { SystemReply } from '../../wire/messages/system-reply.ts'
import type { BareExecRequest, HookRequest, SystemRequest } from '../../wire/messages/system-request.ts'
import { NO_EXIT_CODE } from '../../runtime/exit-status.ts'
import type { Captured } from '../output/captured.ts'
import { endingRefused, hasRun, type Ending } from '../running/ending.ts'

/** How a request ended, for the journal and for the gateway. */
export interface SystemEnd {
  readonly ending: Ending
  readonly reply: SystemReply
}

/** The exit code that the gateway gets for a hook that did not run (protocol.md 3.6). */
const HOOK_ERROR_CODE = -2

/** Requests that only an agent with database drivers can serve, and the answer to them. */
const UNSERVED = {
  provision: 'this agent does not provision database roles: use an agent that does',
  pgmanager: 'this agent does not manage database roles: use an agent that does',
} as const

/** The end of a request whose command was run, or refused. */
export function endOf(request: HookRequest | BareExecRequest, ending: Ending, captured: Captured): SystemEnd {
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

/** The answer for a command that ran. */
function answerOf(
  { kind }: HookRequest | BareExecRequest,
  { exitCode, message, durationMs }: Ending,
  captured: Captured,
): SystemReply {
  captured.add(Buffer.from(message))
  const output = captured.text()
  if (kind === 'bare-exec') return { kind, succeeded: exitCode === 0, output }
  const { leftOut } = captured
  const cut = leftOut > 0 ? ` [truncated ${leftOut} byte(s)]` : ''
  return { kind, exitCode, output: output + cut, seconds: Math.floor(durationMs / 1000) }
}

/** The answer for a request that is not run. */
function refusedAnswer(request: SystemRequest, reason: string): SystemReply {
  switch (request.kind) {
    case 'hook':
      return hookError(`failed executing runbook hook, reason=${reason}`)
    case 'bare-exec':
      return bareExecError(reason)
    case 'malformed':
      return request.of === 'hook' ? hookError(`unable to decode payload: ${reason}`) : bareExecError(reason)
    case 'provision':
    case 'pgmanager':
      return { kind: request.kind, message: reason }
  }
}

function hookError(output: string): SystemReply {
  return { kind: 'hook', exitCode: HOOK_ERROR_CODE, output, seconds: 0 }
}

/** hoop's agent has one text for everything that can go wrong before the command runs. */
function bareExecError(reason: string): SystemReply {
  return { kind: 'bare-exec', succeeded: false, output: `unable to decode payload: ${reason}` }
}

/** The request's name in log and journal. A malformed request has the name of what it was meant to be. */
export function systemNameOf(request: SystemRequest) {
  return request.kind === 'malformed' ? request.of : request.kind
}
