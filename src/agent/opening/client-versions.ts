import { Captured } from '../output/captured.ts'
import { statSync } from 'node:fs'
import type { ClientVersion, DatabaseClient } from '../../policy/client-escapes/client.ts'
import { refusals } from '../../policy/client-escapes/refusals.ts'
import type { Command } from '../../runtime/child.ts'
import { execute, type Engine } from '../../runtime/engine.ts'
import { SpawnError } from '../../runtime/exit-status.ts'
import { findProgram } from '../../runtime/lookup.ts'
import { NO_PAYLOAD } from '../../wire/packet.ts'

/** How long a yes is remembered: programs get updated, and one may be a script that starts the newest. */
const GOOD_FOR_MS = 60_000
const MAX_PROGRAMS = 100

const ASK_MS = 5000
const GRACE_MS = 1000
/** One line is expected. */
const MAX_SAID_BYTES = 4096

/** How to start the clients that are asked for their version. */
export interface Asking {
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
