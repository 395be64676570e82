import { createEntry, type Entry, MAX_ENTRIES, parseEntry } from '../../envvars/entry.ts'
import { EnvvarError } from '../../envvars/errors.ts'
import { CLIENT_ESCAPES } from '../../policy/client-escapes.ts'
import { renderScript } from '../../template/script.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { BareExecRequest, HookRequest, SystemRequest } from '../../wire/messages/system-request.ts'
import type { CommandRequest } from '../opening/request.ts'
import { SessionGuardrails } from '../policy/guardrails.ts'
import { RefusedError } from '../refused.ts'
import type { Job } from '../running/running-command.ts'
import type { CommandServices, SessionServices, Slots } from '../running/services.ts'

/**
 * Maximum number of commands at the same time. A gateway sends two hooks for each session, and hooks are
 * short.
 */
export const MAX_SYSTEM_REQUESTS = 100

/**
 * Maximum number of requests that run or wait for REPLY_AFTER_MS. Further requests get no answer, so the
 * gateway's wait times out.
 */
export const MAX_HELD = 1000

/**
 * Minimum time in milliseconds from a request to its answer. The gateway begins to wait only after it has
 * sent the request, and does not buffer an earlier answer (protocol.md 3.6). So an answer within microseconds
 * would be lost.
 */
export const REPLY_AFTER_MS = 50

/**
 * Time limit of a hook in milliseconds. The gateway waits 15 s for hooks of a session, 60 s for hooks of its
 * event routing.
 */
const HOOK_MS = 60_000
/** Bytes kept of a hook's output. */
export const HOOK_OUTPUT_BYTES = 4096

/** Time limit of a bare exec in milliseconds. The gateway has the same limit. */
const BARE_EXEC_MS = 5 * 60_000
/**
 * Maximum size of a bare exec's output in bytes. As JSON the output may be six times as large, and a packet
 * of more than 17 MiB would end the stream.
 */
const BARE_EXEC_OUTPUT_BYTES = 1024 * 1024

/**
 * Maximum length of all unsent answers together, in characters. Answers wait while the gateway reads nothing.
 * Further answers are not sent, because the gateway's wait would time out anyway.
 */
export const MAX_UNSENT_LENGTH = 16 * 1024 * 1024

export function hasCommand(request: SystemRequest): request is HookRequest | BareExecRequest {
  return request.kind === 'hook' || request.kind === 'bare-exec'
}

/** Returns the services for a request. The journal's entry `started` then has the kind of the request. */
export function servicesFor(
  { kind }: HookRequest | BareExecRequest,
  services: SessionServices,
  slots: Slots,
): CommandServices {
  const { settings, record } = services
  const { maxDurationMs = Infinity, outputCapBytes = 0 } = settings
  return {
    ...services,
    slots,
    // A gateway repeats health checks, and nobody approves requests of the gateway itself.
    started: undefined,
    settings: {
      ...settings,
      background: 'kill',
      maxDurationMs: Math.min(maxDurationMs, kind === 'hook' ? HOOK_MS : BARE_EXEC_MS),
      // A hook's output has no cap: `Captured` keeps the beginning, and counts the following bytes.
      outputCapBytes: kind === 'hook' ? 0 : Math.min(outputCapBytes || Infinity, BARE_EXEC_OUTPUT_BYTES),
    },
    record: (entry) => record(entry.event === 'started' ? { ...entry, request: kind } : entry),
  }
}

/**
 * Checks the request by the policy of the server's owner.
 * @throws RefusedError, EnvvarError or TemplateError
 */
export function jobOf(
  request: HookRequest | BareExecRequest,
  sid: SessionId,
  { folder, policy: source }: Pick<SessionServices, 'folder' | 'policy'>,
): Job {
  const policy = source?.current
  policy?.checkSystem(request)
  // The agent finds the command's processes by these variables.
  const marks = new Map([
    ['HOOP_SESSION_ID', sid],
    ['RUNBOOK_AGENT_INSTANCE', folder.instance],
  ])
  const job = request.kind === 'hook' ? hookJob(request, marks) : bareExecJob(request, marks)
  if (policy === undefined) return job
  const guardrails = SessionGuardrails.ofOwner(policy.rules)
  return { ...job, request: { ...job.request, policy, guardrails } }
}

function hookJob(hook: HookRequest, marks: ReadonlyMap<string, string>): Job {
  const payload = createEntry('envvar:HOOP_RUNBOOK_HOOK_PAYLOAD', hook.payload, 'agent')
  const request = requestOf(hook.command, [payload, ...entriesOf(marks, 'agent')], secretsOf(hook))
  return { request, start: { kind: 'script', stdin: Buffer.from(hook.script) } }
}

/**
 * Returns the connection's secrets. They are replaced in the hook's output, because the gateway logs the
 * output.
 */
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

function bareExecJob(
  { command, script, templateData, variables }: BareExecRequest,
  marks: ReadonlyMap<string, string>,
): Job {
  if (variables.size > MAX_ENTRIES)
    throw new RefusedError(
      `too many environment variables: ${variables.size}; at most ${MAX_ENTRIES} are accepted`,
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
  redactable: readonly Entry[],
): CommandRequest {
  return {
    connection: undefined,
    argv,
    program: argv[0] ?? '',
    entries,
    redactable,
    captured: true,
    masking: undefined,
    restricted: undefined,
    guardrails: undefined,
    policy: undefined,
    clientArguments: 0,
  }
}

function entriesOf(values: ReadonlyMap<string, string>, origin: Entry['origin']): Entry[] {
  return Array.from(values, ([name, value]) => createEntry(`envvar:${name}`, Buffer.from(value), origin))
}
