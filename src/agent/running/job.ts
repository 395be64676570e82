import { createEntry, type Entry } from '../../envvars/entry.ts'
import type { Environment } from '../../envvars/environment.ts'
import type { Command } from '../../runtime/child.ts'
import type { OutputFilter } from '../../policy/output-filter.ts'
import { NO_PAYLOAD } from '../../wire/packet.ts'
import { restrictScript } from '../opening/client-escapes.ts'
import type { CommandRequest } from '../opening/request.ts'
import { programSearch } from '../policy/owner-policy.ts'
import type { CommandServices } from './services.ts'

/** The input that starts a command: a script, or the first key on a terminal. */
export type Start = { readonly kind: 'script'; readonly stdin: Buffer } | { readonly kind: 'terminal' }

/** A checked request, and the input that starts it. */
export interface Job {
  readonly request: CommandRequest
  readonly start: Start
}

/**
 * Returns the job with the script and variables that the command gets, after the rules for terminals and
 * restricted programs.
 */
export function prepared({ request, start }: Job): Job {
  const { entries, restricted } = request
  if (start.kind === 'terminal') return { request: { ...request, entries: onTerminal(entries) }, start }
  if (restricted === undefined) return { request, start }
  const { script, entries: handed } = restrictScript(restricted, start.stdin, entries)
  return { request: { ...request, entries: handed }, start: { kind: 'script', stdin: script } }
}

export function preparedCommand(
  argv: readonly Buffer[],
  environment: Environment,
  start: Start,
  services: CommandServices,
): Command {
  return {
    argv,
    environment: environment.block,
    ...programSearch(services),
    stdin: start.kind === 'script' ? start.stdin : NO_PAYLOAD,
  }
}

/** Overrides the connection's TERM (protocol.md 5.3). */
const TERM = createEntry('envvar:TERM', Buffer.from('xterm-256color'), 'agent')

function onTerminal(entries: readonly Entry[]): Entry[] {
  return [...entries.filter(({ name }) => name !== TERM.name), TERM]
}

/** Judges the client's script and arguments, as the program would get them. @returns the broken rule */
export async function judged({ request, start }: Job, { argv }: Command, ended: AbortSignal) {
  const { guardrails, clientArguments } = request
  if (guardrails === undefined || start.kind === 'terminal') return undefined
  return guardrails.judge(start.stdin, argv, clientArguments, ended)
}

/**
 * Returns the filters for the output: guardrails before masking, which would hide the text that they search
 * for.
 */
export function filtersOf(
  { guardrails, masking }: CommandRequest,
  { kind }: Start,
  unawaited: AbortController,
): (() => OutputFilter)[] {
  const rules = guardrails?.filters(kind === 'terminal', unawaited.signal) ?? []
  const mask = masking?.filter
  return mask === undefined ? rules : [...rules, () => mask(unawaited.signal)]
}
