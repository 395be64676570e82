import { createEntry, type Entry } from '../../envvars/entries/entry.ts'
import type { Environment } from '../../envvars/environment.ts'
import type { Command } from '../../runtime/child.ts'
import { NO_PAYLOAD } from '../../wire/packet.ts'
import { closeScript } from '../opening/client-escapes.ts'
import type { CommandRequest } from '../opening/request.ts'
import { programSearch } from '../policy/allowed-programs.ts'
import type { CommandServices } from './services.ts'

/** What starts a command: a script, or the first key on a terminal. */
export type Start = { readonly kind: 'script'; readonly stdin: Buffer } | { readonly kind: 'terminal' }

/** What is to be run, and what starts it. */
export interface AskedCommand {
  readonly request: CommandRequest
  readonly start: Start
}

/** Script and variables as the command gets them, after the rules for terminals and closed database clients. */
export function prepared({
  request,
  start,
}: AskedCommand): AskedCommand & { readonly entries: readonly Entry[] } {
  const { entries, closed } = request
  if (start.kind === 'terminal') return { request, start, entries: onTerminal(entries) }
  if (closed === undefined) return { request, start, entries }
  const { script, entries: handed } = closeScript(closed, start.stdin, entries)
  return { request, start: { kind: 'script', stdin: script }, entries: handed }
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
