import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { createEntry, Entry } from '../../envvars/entry.ts'
import type { RuntimeFolder } from '../../envvars/folder/runtime-folder.ts'
import {
  CLIENT_ESCAPES,
  type ProgramVersion,
  databaseProgram,
  type DatabaseProgram,
  refusals,
  unknownAmong,
  whyUnrestrictable,
} from '../../policy/client-escapes.ts'
import type { Command } from '../../runtime/child.ts'
import type { Engine } from '../../runtime/engine.ts'
import { execute } from '../../runtime/execution.ts'
import { SpawnError } from '../../runtime/exit-status.ts'
import { findProgram } from '../../runtime/lookup.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import { NO_PAYLOAD } from '../../wire/packet.ts'
import type { ConnectionParams } from '../../wire/params.ts'
import { Captured } from '../output/captured.ts'
import { RefusedError } from '../refused.ts'

/**
 * How long a positive answer is valid, in milliseconds. The time is short, because a program may be updated,
 * or may be a script that starts the newest version.
 */
const GOOD_FOR_MS = 60_000
const MAX_PROGRAMS = 100

const ASK_MS = 5000
const GRACE_MS = 1000
/** Maximum size of a program's answer in bytes. One line is expected. */
const MAX_SAID_BYTES = 4096

interface Asking {
  readonly engine: Engine
  /** Identifies this agent, in the environment of the started programs. */
  readonly instance: string
  /** An environment entry by which leftover processes are found. */
  readonly marker: string
}

/**
 * Asks installed database programs for their version. The version shows whether the program can be
 * restricted.
 */
export class ProgramVersions {
  /** Time until which the answer is valid, by program and modification time. */
  readonly #able = new Map<string, number>()

  /**
   * Returns undefined if the program may run. A missing program is not refused, because its start fails
   * anyway.
   */
  async checkEscapes(client: DatabaseProgram, command: Command, asking: Asking): Promise<string | undefined> {
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

/** Returns the program's modification time and path; undefined if there is no such program. */
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
  { plainAsk, read }: ProgramVersion,
  command: Command,
  asking: Asking,
): Promise<string | undefined> {
  return plainAsk === undefined ? undefined : read(await say(plainAsk, command, asking))
}

/** Returns the program's output; empty if it fails or takes too long. */
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

/** A database's program that has to run without its ways to a shell and to files. */
export interface RestrictedProgram {
  readonly program: DatabaseProgram
  /** Number of arguments from the connection. The caller's arguments follow. */
  readonly ownArguments: number
}

interface RestrictingServices {
  readonly programVersions: ProgramVersions
  readonly engine: Engine
  readonly folder: RuntimeFolder
}

/**
 * Returns undefined for an unrestricted program. Only the connection's variable decides, not the caller's.
 * @throws RefusedError
 */
export function restrictedProgram(params: ConnectionParams): RestrictedProgram | undefined {
  if (!areBlocked(params)) return undefined
  if (params.clientVerb === 'connect') throw new RefusedError(refusals.terminal())
  const [program = ''] = params.cmdList
  const why = whyUnrestrictable(program)
  if (why !== undefined) throw new RefusedError(refusals.open(why))
  const database = databaseProgram(program)
  if (database === undefined) throw new RefusedError(refusals.program())
  return { program: database, ownArguments: params.cmdList.length - 1 }
}

function areBlocked({ envVars }: ConnectionParams): boolean {
  const encoded = envVars.get(`envvar:${CLIENT_ESCAPES}`)
  const wish = Buffer.from(encoded ?? '', 'base64').toString('latin1')
  if (envVars.has(`filesystem:${CLIENT_ESCAPES}`) || (encoded !== undefined && !/^(block|allow)$/.test(wish)))
    throw new RefusedError(refusals.wish())
  return wish === 'block'
}

/**
 * Restricts a script and its variables. A caller's variable is passed on only if the script uses the
 * variable. It then has a new name, which has no meaning for the program, its libraries or the loader.
 */
export function restrictScript(
  { program }: RestrictedProgram,
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
  const restricted = program.script(script, randomBytes(24).toString('hex'), { hand })
  const kept = entries.filter(({ origin, name }) => origin !== 'client' && !(name in program.environment))
  const set = Object.entries(program.environment).map(([name, value]) =>
    createEntry(`envvar:${name}`, Buffer.from(value), 'agent'),
  )
  return { script: restricted, entries: [...kept, ...handed.values(), ...set] }
}

/** @throws RefusedError if an argument could remove the restriction, or the program cannot be restricted */
export async function restrictCommand(
  restricted: RestrictedProgram,
  command: Command,
  sid: SessionId,
  { programVersions, engine, folder }: RestrictingServices,
): Promise<Command> {
  const argv = restrictArguments(restricted, command.argv)
  const asking = { engine, instance: folder.instance, marker: `HOOP_SESSION_ID=${sid}` }
  const refusal = await programVersions.checkEscapes(restricted.program, command, asking)
  if (refusal !== undefined) throw new RefusedError(refusal)
  return { ...command, argv }
}

function restrictArguments(
  { program: database, ownArguments }: RestrictedProgram,
  argv: readonly Buffer[],
): readonly Buffer[] {
  const [program = Buffer.alloc(0), ...args] = argv
  // In Latin-1 each byte is one character. Only ASCII is searched for.
  const texts = args.map((argument) => argument.toString('latin1'))
  const own = unknownAmong(texts.slice(0, ownArguments), database.options)
  if (own !== undefined) throw new RefusedError(refusals.option(database, own))
  const callers = unknownAmong(texts.slice(ownArguments), database.callersOptions)
  if (callers !== undefined) throw new RefusedError(refusals.callersOption(database, callers))
  return [program, ...database.restricted(args)]
}
