import { createEntry, MAX_ENTRIES, parseEntry, type Entry } from '../../envvars/entries/entry.ts'
import { EnvvarError } from '../../envvars/errors.ts'
import { CLIENT_ESCAPES } from '../../policy/client-escapes/refusals.ts'
import { renderScript } from '../../template/script.ts'
import type { BareExecRequest, HookRequest } from '../../wire/messages/system-request.ts'
import { SessionGuardrails } from '../policy/guardrails.ts'
import type { OwnerPolicy } from '../policy/owner-policy.ts'
import { RefusedError } from '../refused.ts'
import type { CommandRequest } from '../opening/request.ts'
import type { AskedCommand } from '../running/prepared.ts'

/**
 * The command of a system request.
 * @param marks variables by which its processes are found: `HOOP_SESSION_ID`, `RUNBOOK_AGENT_INSTANCE`
 * @param policy of the server's owner
 * @throws RefusedError, EnvvarError or TemplateError
 */
export function commandOf(
  request: HookRequest | BareExecRequest,
  marks: ReadonlyMap<string, string>,
  policy?: OwnerPolicy,
): AskedCommand {
  const asked = request.kind === 'hook' ? hookCommand(request, marks) : bareExecCommand(request, marks)
  if (policy === undefined) return asked
  const guardrails = SessionGuardrails.ofOwner(policy.rules)
  return { ...asked, request: { ...asked.request, policy, guardrails } }
}

function hookCommand(hook: HookRequest, marks: ReadonlyMap<string, string>): AskedCommand {
  const payload = createEntry('envvar:HOOP_RUNBOOK_HOOK_PAYLOAD', hook.payload, 'agent')
  const request = requestOf(hook.command, [payload, ...entriesOf(marks, 'agent')], secretsOf(hook))
  return { request, start: { kind: 'script', stdin: Buffer.from(hook.script) } }
}

/** The connection's secrets in the hook's payload. The hook's output goes to the gateway's log without them. */
function secretsOf({ connectionEnvs }: HookRequest): Entry[] {
  return Object.entries(connectionEnvs)
    .slice(0, MAX_ENTRIES)
    .flatMap(([key, value]) => (typeof value === 'string' ? secretOf(key, value) : []))
}

function secretOf(key: string, encoded: string): Entry[] {
  try {
    return [parseEntry(key, encoded, 'connection')]
  } catch (error) {
    if (error instanceof EnvvarError) return []
    throw error
  }
}

function bareExecCommand(
  { command, script, templateData, variables }: BareExecRequest,
  marks: ReadonlyMap<string, string>,
): AskedCommand {
  if (variables.size > MAX_ENTRIES)
    throw new RefusedError(
      `too many environment variables: ${variables.size}, accepted are at most ${MAX_ENTRIES}`,
    )
  const stdin = renderScript(script, templateData)
  const own = entriesOf(variables, 'connection').filter(
    ({ name }) => !marks.has(name) && name !== CLIENT_ESCAPES,
  )
  const request = requestOf(command, [...own, ...entriesOf(marks, 'agent')], own)
  return { request, start: { kind: 'script', stdin } }
}

function requestOf(
  argv: readonly string[],
  entries: readonly Entry[],
  secrets: readonly Entry[],
): CommandRequest {
  return {
    argv,
    program: argv[0] ?? '',
    entries,
    secrets,
    captured: true,
    masking: undefined,
    closed: undefined,
    guardrails: undefined,
    policy: undefined,
    clientArguments: 0,
  }
}

function entriesOf(values: ReadonlyMap<string, string>, origin: Entry['origin']): Entry[] {
  return Array.from(values, ([name, value]) => createEntry(`envvar:${name}`, Buffer.from(value), origin))
}
