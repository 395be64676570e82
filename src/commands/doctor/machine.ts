import { loadEngine, type Engine } from '../../runtime/engine.ts'
import { type Finding, ok, skipped, warning } from './finding.ts'
import { readFileSync, readdirSync } from 'node:fs'
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import type { AgentConfiguration } from '../../config.ts'
import { sizeText } from '../status/format.ts'
import {
  executionsWithin,
  FILES_PER_EXECUTION,
  openFileLimit,
  OTHER_FILES,
} from '../../config/session-limit.ts'

/** Which engine starts commands here. The fact is its name. */
export async function checkEngine(): Promise<Finding<Engine['name']>> {
  const { name, reason, unmarked } = await loadEngine()
  if (unmarked !== undefined)
    return warning(
      `${name}, without marks on processes: ${unmarked}`,
      'What leaves its session and empties its environment can stay while other commands run: leave the limit of file locks at unlimited (ulimit -x, LimitLOCKS=)',
      name,
    )
  if (name === 'posix') return ok('posix', name)
  return warning(
    `portable: ${reason ?? 'no reason given'}`,
    'Commands cannot open /dev/stdin, /dev/stdout, /dev/stderr, there are no terminals, and what leaves its session stays: run on Linux with glibc 2.34 or newer',
    name,
  )
}

/** The score that the runtime gives to commands, unless the agent's own is as high. */
const OF_COMMANDS = 500

const ADVICE =
  'When memory runs out the agent may go first, with all its commands: start it with a lower one (systemd: OOMScoreAdjust=; Kubernetes: memory requests equal to the limits)'

/** What the kernel would end first when memory runs out: the agent, or a command. */
export function checkOomScore(engine: Engine['name'], proc = '/proc/self'): Finding {
  const own = score(`${proc}/oom_score_adj`)
  if (own === undefined) return skipped('this system has no oom_score_adj')
  if (engine === 'portable')
    return warning(`${own} here, and for commands: the portable engine does not raise it`, ADVICE)
  if (own >= OF_COMMANDS) return warning(`${own} here, and no more for commands`, ADVICE)
  return ok(`${own} here, ${OF_COMMANDS} for commands: they go first when memory runs out`)
}

function score(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** Which process reaps the processes whose parents have ended, in this container or on this machine. */
export function checkProcessOne(engine: Engine['name'], ownPid = process.pid, proc = '/proc'): Finding {
  const name = programOf(`${proc}/1`)
  if (name === undefined) return skipped('this system does not show process 1')
  const isAgent = ownPid === 1 || name.includes('runbook-agent')
  if (engine === 'posix')
    return ok(
      isAgent
        ? 'the agent is process 1: it collects what ends without a parent, as it does with its commands'
        : `${name}; what commands leave behind comes to the agent, which collects it`,
    )
  if (!isAgent) return ok(`${name}; what commands leave behind goes to it, which has to collect it`)
  return warning(
    'the agent is process 1, and the portable engine collects its own commands only',
    'What they leave behind stays as a zombie: start the agent under an init (tini, docker run --init)',
  )
}

/** The words of its command line that tell which program it is; undefined without /proc. */
function programOf(folder: string): string | undefined {
  try {
    const words = readFileSync(`${folder}/cmdline`, 'latin1').split('\0').filter(Boolean)
    if (words.length === 0) return readFileSync(`${folder}/comm`, 'utf8').trim()
    // Only the first words: arguments may be secrets.
    return words[0]?.endsWith('node') === true ? words.slice(0, 2).join(' ') : words[0]
  } catch {
    return undefined
  }
}

/** Memory outside the heap (code, stacks, buffers): after 120 MB of output an agent took 102 to 111 MB in all. */
const BESIDE_THE_HEAP = 96 * 1024 ** 2

/** Whether V8 lets the heap grow beyond the container's limit; the kernel would then end the agent. */
export function checkMemory(
  { tailMemoryBytes }: Pick<AgentConfiguration, 'tailMemoryBytes'>,
  limit = process.constrainedMemory(),
  heap = getHeapStatistics().heap_size_limit,
): Finding {
  // Without a limit, libuv says 0 or an enormous number.
  const isLimited = limit > 0 && limit < totalmem()
  const available = isLimited ? limit : totalmem()
  const most = heap + tailMemoryBytes + BESIDE_THE_HEAP
  const found = `${sizeText(available)} ${isLimited ? 'limit' : 'machine, no limit'}, the agent may take ${sizeText(most)}: heap ${sizeText(heap)}, tails ${sizeText(tailMemoryBytes)}, rest ${sizeText(BESIDE_THE_HEAP)}`
  if (most <= available) return ok(found)
  return warning(
    found,
    `Commands need memory as well: raise the limit, set NODE_OPTIONS=--max-old-space-size=${megabytes(available)}, or lower output.tail-memory`,
  )
}

/** A quarter of the limit in MB; the rest is for commands. */
function megabytes(bytes: number): number {
  return Math.max(64, Math.floor(bytes / 4 / 1024 ** 2))
}

/** Whether the limit of open files allows as many executions as `limits.sessions` does. */
export function checkOpenFiles(
  { limitsSessions }: Pick<AgentConfiguration, 'limitsSessions'>,
  proc = '/proc/self',
): Finding {
  const limit = openFileLimit(`${proc}/limits`)
  if (limit === undefined) return skipped('this system does not tell its limit of open files')
  const needed = limitsSessions * FILES_PER_EXECUTION + OTHER_FILES
  const found = `${limit} allowed, ${needed} needed for ${limitsSessions} sessions, ${readdirSync(`${proc}/fd`).length} open here`
  if (limit >= needed) return ok(found)
  return warning(
    found,
    `Raise it to ${needed} (systemd: LimitNOFILE=, else ulimit -n), or lower limits.sessions to ${executionsWithin(limit)}`,
  )
}
