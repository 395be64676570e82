import type { SystemReply } from '../../wire/messages/system-reply.ts'
import type { BareExecRequest, HookRequest, SystemRequest } from '../../wire/messages/system-request.ts'
import type { Ending } from '../running/ending.ts'
import type { Captured } from './captured.ts'

/** The exit code that the gateway gets for a hook that did not run (protocol.md 3.6). */
export const HOOK_ERROR_CODE = -2

/** The answer for a command that ran. */
export function answerOf(
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
export function refusedAnswer(request: SystemRequest, reason: string): SystemReply {
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
