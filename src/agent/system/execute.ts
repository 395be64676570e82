import type { BareExecRequest, HookRequest } from '../../wire/messages/system-request.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import { RunningCommand } from '../running/running-command.ts'
import type { CommandServices, SessionServices } from '../running/services.ts'
import type { Slots } from '../running/slots.ts'
import { commandOf } from './command.ts'
import { BARE_EXEC_MS, BARE_EXEC_OUTPUT_BYTES, HOOK_MS } from './limits.ts'

/** What all system requests of an agent share. */
export interface SystemServices {
  readonly services: SessionServices
  /** System requests have slots of their own, so that sessions cannot use them up. */
  readonly slots: Slots
}

/** The command of a request. It has no client, so nobody types and nobody pauses the output. */
export function commandFor(
  request: HookRequest | BareExecRequest,
  sid: SessionId,
  system: SystemServices,
): RunningCommand {
  const marks = new Map([
    ['HOOP_SESSION_ID', sid],
    ['RUNBOOK_AGENT_INSTANCE', system.services.folder.instance],
  ])
  const asked = () => {
    const policy = system.services.policy?.current
    policy?.checkSystem(request)
    return commandOf(request, marks, policy)
  }
  return new RunningCommand(sid, asked, servicesFor(request, system))
}

/** The sessions' services with other slots and limits. The journal's `started` says which kind of request it was. */
function servicesFor(
  { kind }: HookRequest | BareExecRequest,
  { services, slots }: SystemServices,
): CommandServices {
  const { settings, record } = services
  const { maxDurationMs = Infinity, outputCapBytes = 0 } = settings
  return {
    ...services,
    slots,
    settings: {
      ...settings,
      background: 'kill',
      maxDurationMs: Math.min(maxDurationMs, kind === 'hook' ? HOOK_MS : BARE_EXEC_MS),
      // The beginning of a hook's output is kept, and the rest is counted.
      outputCapBytes: kind === 'hook' ? 0 : Math.min(outputCapBytes || Infinity, BARE_EXEC_OUTPUT_BYTES),
    },
    record: (entry) => record(entry.event === 'started' ? { ...entry, request: kind } : entry),
  }
}
