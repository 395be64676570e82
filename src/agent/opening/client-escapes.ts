import { randomBytes } from 'node:crypto'
import { createEntry, Entry } from '../../envvars/entries/entry.ts'
import type { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import type { DatabaseClient } from '../../policy/client-escapes/client.ts'
import { databaseClient, whyOpen } from '../../policy/client-escapes/clients.ts'
import { unknownAmong } from '../../policy/client-escapes/known-options.ts'
import { CLIENT_ESCAPES, refusals } from '../../policy/client-escapes/refusals.ts'
import type { Command } from '../../runtime/child.ts'
import type { Engine } from '../../runtime/engine.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { ConnectionParams } from '../../wire/params.ts'
import { RefusedError } from '../refused.ts'
import type { ClientVersions } from './client-versions.ts'

/** A database client whose ways to a shell have to be closed. */
export interface ClosedClient {
  readonly client: DatabaseClient
  /** How many arguments after the program come from the connection. The rest are the caller's. */
  readonly ownArguments: number
}

/** What closing a client needs of the agent. */
interface ClosingServices {
  readonly clientVersions: ClientVersions
  readonly engine: Engine
  readonly folder: RuntimeFolder
}

/** Undefined: runs as it is. The connection's own variable counts, not the caller's. @throws RefusedError */
export function closedClient(params: ConnectionParams): ClosedClient | undefined {
  if (!areBlocked(params)) return undefined
  if (params.clientVerb === 'connect') throw new RefusedError(refusals.terminal())
  const [program = ''] = params.cmdList
  const why = whyOpen(program)
  if (why !== undefined) throw new RefusedError(refusals.open(why))
  const client = databaseClient(program)
  if (client === undefined) throw new RefusedError(refusals.program())
  return { client, ownArguments: params.cmdList.length - 1 }
}

function areBlocked({ envVars }: ConnectionParams): boolean {
  const encoded = envVars.get(`envvar:${CLIENT_ESCAPES}`)
  const wish = Buffer.from(encoded ?? '', 'base64').toString('latin1')
  if (envVars.has(`filesystem:${CLIENT_ESCAPES}`) || (encoded !== undefined && !/^(block|allow)$/.test(wish)))
    throw new RefusedError(refusals.wish())
  return wish === 'block'
}

/**
 * Changes script and variables for a closed client. The caller's variables are handed over only where the script uses
 * them, under names that mean nothing to the client, its libraries or the loader.
 */
export function closeScript(
  { client }: ClosedClient,
  script: Buffer,
  entries: readonly Entry[],
): { readonly script: Buffer; readonly entries: readonly Entry[] } {
  const handed = new Map<string, Entry>()
  const hand = (name: string): string | undefined => {
    const entry = entries.find((each) => each.origin === 'client' && each.name === name)
    if (entry === undefined) return undefined
    const under = `RUNBOOK_AGENT_CALLER_${name}`
    handed.set(under, new Entry(entry.kind, under, entry.value, 'client'))
    return under
  }
  const closed = client.script(script, randomBytes(24).toString('hex'), { hand })
  const kept = entries.filter(({ origin, name }) => origin !== 'client' && !(name in client.environment))
  const set = Object.entries(client.environment).map(([name, value]) =>
    createEntry(`envvar:${name}`, Buffer.from(value), 'agent'),
  )
  return { script: closed, entries: [...kept, ...handed.values(), ...set] }
}

/**
 * Adds what closes the client to the command; unchanged when there is nothing to close.
 * @throws RefusedError when an argument could open it, or the installed client cannot be closed
 */
export async function closeCommand(
  closed: ClosedClient | undefined,
  command: Command,
  sid: SessionId,
  { clientVersions, engine, folder }: ClosingServices,
): Promise<Command> {
  if (closed === undefined) return command
  const argv = closeArguments(closed, command.argv)
  const asking = { engine, instance: folder.instance, marker: `HOOP_SESSION_ID=${sid}` }
  const refusal = await clientVersions.refusalOf(closed.client, command, asking)
  if (refusal !== undefined) throw new RefusedError(refusal)
  return { ...command, argv }
}

function closeArguments({ client, ownArguments }: ClosedClient, argv: readonly Buffer[]): readonly Buffer[] {
  const [program = Buffer.alloc(0), ...args] = argv
  // As Latin-1 each byte is one character. Only ASCII is looked for.
  const texts = args.map((argument) => argument.toString('latin1'))
  const own = unknownAmong(texts.slice(0, ownArguments), client.options)
  if (own !== undefined) throw new RefusedError(refusals.option(client, own))
  const callers = unknownAmong(texts.slice(ownArguments), client.callersOptions)
  if (callers !== undefined) throw new RefusedError(refusals.callersOption(client, callers))
  return [program, ...client.closed(args)]
}
