import type { BareExecRequest, HookRequest } from '../../wire/messages/system-request.ts'
import type { SystemReply } from '../../wire/messages/system-reply.ts'
import type { Ended } from '../session/closing.ts'
import { runCommand } from '../session/run-command.ts'
import type { SessionReply, SessionServices } from '../session/session-services.ts'
import type { Slots } from '../session/slots.ts'
import { answerOf, refusedAnswer } from './answer.ts'
import { Captured } from './captured.ts'
import { commandOf } from './command.ts'
import { BARE_EXEC_MS, BARE_EXEC_OUTPUT_BYTES, HOOK_MS, HOOK_OUTPUT_BYTES } from './limits.ts'
import type { SystemOwner } from './system-owner.ts'

/** What the requests of an agent share. */
export interface SystemServices {
  readonly services: SessionServices
  /** Their own: they take none from sessions. */
  readonly slots: Slots
}

/** How a request ended, for the books and for the gateway. */
export interface SystemEnd {
  readonly ended: Ended
  readonly reply: SystemReply
}

/**
 * Runs the command of a request. When it returns, nothing of it is left.
 * @throws what `isRefusal` knows when it cannot be started
 */
export async function executeRequest(
  request: HookRequest | BareExecRequest,
  owner: SystemOwner,
  system: SystemServices,
): Promise<SystemEnd> {
  const marks = new Map([
    ['HOOP_SESSION_ID', owner.sid],
    ['RUNBOOK_AGENT_INSTANCE', system.services.folder.instance],
  ])
  const { request: command, stdin } = commandOf(request, marks)
  const captured = new Captured(request.kind === 'hook' ? HOOK_OUTPUT_BYTES : Infinity)
  const reply: SessionReply = (message) => {
    if (message.kind === 'stdout' || message.kind === 'stderr') captured.add(message.data)
    return Promise.resolve()
  }
  const own = servicesFor(request, system)
  const ended = await runCommand(command, { kind: 'script', stdin }, owner, { services: own, reply })
  const ran = ended.outcome === 'exited' || ended.outcome === 'signaled'
  return {
    ended,
    reply: ran ? answerOf(request, ended, captured) : refusedAnswer(request, ended.message),
  }
}

/** Slots, limits and entries of the journal that are not a session's. */
function servicesFor(
  { kind }: HookRequest | BareExecRequest,
  { services, slots }: SystemServices,
): SessionServices {
  const { settings, record } = services
  const { maxDurationMs = Infinity, outputCapBytes } = settings
  return {
    ...services,
    slots,
    settings: {
      ...settings,
      background: 'kill',
      maxDurationMs: Math.min(maxDurationMs, kind === 'hook' ? HOOK_MS : BARE_EXEC_MS),
      // Of a hook's output the beginning is kept, and the rest is counted.
      outputCapBytes: kind === 'hook' ? 0 : Math.min(outputCapBytes || Infinity, BARE_EXEC_OUTPUT_BYTES),
    },
    record: (entry) => record(entry.event === 'started' ? { ...entry, request: kind } : entry),
  }
}
