import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { createEntry, Entry } from '../../envvars/entry.ts'
import type { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import {
  CLIENT_ESCAPES,
  type ClientVersion,
  databaseClient,
  type DatabaseClient,
  refusals,
  unknownAmong,
  whyOpen,
} from '../../policy/client-escapes.ts'
import type { Command } from '../../runtime/child.ts'
import { type Engine, execute } from '../../runtime/engine.ts'
import { SpawnError } from '../../runtime/exit-status.ts'
import { findProgram } from '../../runtime/lookup.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import { NO_PAYLOAD } from '../../wire/packet.ts'
import type { ConnectionParams } from '../../wire/params.ts'
import { Captured } from '../output/captured.ts'
import { RefusedError } from '../refused.ts'

/** How long a yes is remembered: programs get updated, and one may be a script that starts the newest. */
const GOOD_FOR_MS = 60_000
const MAX_PROGRAMS = 100

const ASK_MS = 5000
const GRACE_MS = 1000
/** One line is expected. */
const MAX_SAID_BYTES = 4096

/** How to start the clients that are asked for their version. */
interface Asking {
  readonly engine: Engine
  /** Identifies this agent. Put into the environment of what it starts. */
  readonly instance: string
  /** An environment entry by which leftover processes are found. */
  readonly marker: string
}

/** Asks installed database clients for their version: can their shell escapes be closed? */
export class ClientVersions {
  /** Program and modification time, to the moment until which the answer is good. */
  readonly #able = new Map<string, number>()

  /** Why this client must not run; undefined when it can be closed, or is missing: its start fails anyway. */
  async refusalOf(client: DatabaseClient, command: Command, asking: Asking): Promise<string | undefined> {
    const { version } = client
    const program = version === undefined ? undefined : place(command)
    if (version === undefined || program === undefined) return undefined
    if ((this.#able.get(program) ?? 0) > performance.now()) return undefined
    const able = version.read(await say(version.ask, command, asking))
    if (able === undefined || !version.suffices(able)) {
      return refusals.version(client, able ?? (await plainVersion(version, command, asking)))
    }
    if (this.#able.size >= MAX_PROGRAMS) this.#able.clear()
    this.#able.set(program, performance.now() + GOOD_FOR_MS)
    return undefined
  }
}

/** The program's path and modification time; undefined when there is none. */
function place({ argv, path, cwd }: Command): string | undefined {
  try {
    const file = findProgram(argv[0]?.toString() ?? '', path, cwd)
    return `${statSync(file).mtimeMs} ${file}`
  } catch (error) {
    if (error instanceof SpawnError || 'errno' in (error as Error)) return undefined
    throw error
  }
}

async function plainVersion(
  { plainAsk, read }: ClientVersion,
  command: Command,
  asking: Asking,
): Promise<string | undefined> {
  return plainAsk === undefined ? undefined : read(await say(plainAsk, command, asking))
}

/** What the program prints; empty when it fails or takes too long. */
async function say(args: readonly string[], command: Command, asking: Asking): Promise<string> {
  const { engine, instance, marker } = asking
  const argv = [command.argv[0] ?? Buffer.alloc(0), ...args.map((argument) => Buffer.from(argument))]
  const question = { ...command, argv, stdin: NO_PAYLOAD }
  await using execution = await execute(engine, question, { graceMs: GRACE_MS, instance, marker })
  const timer = setTimeout(() => execution.terminate(), ASK_MS)
  try {
    const said = new Captured(MAX_SAID_BYTES)
    for await (const { stream, data } of execution.output)
      if (stream === 'stdout') said.add(Buffer.from(data))
    const status = await execution.exit
    return status.kind === 'exited' && status.code === 0 ? said.text() : ''
  } finally {
    clearTimeout(timer)
  }
}

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
