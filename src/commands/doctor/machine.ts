import { spawn, execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { getHeapStatistics } from 'node:v8'
import { longestStopMs } from '../../agent/connection/timing.ts'
import { errnoOf } from '../../basics/errors.ts'
import { signalChild } from '../../basics/signals.ts'
import { sizeText } from '../../basics/text/units.ts'
import type { AgentConfiguration } from '../../config.ts'
import {
  executionsWithin,
  FILES_PER_EXECUTION,
  openFileLimit,
  OTHER_FILES,
} from '../../config/session-limit.ts'
import { readWords, removeGroup, writeValue } from '../../runtime/cgroups/cgroup-files.ts'
import { groupFolder } from '../../runtime/cgroups/cgroup-files.ts'
import { type Engine, loadEngine } from '../../runtime/engine.ts'
import { broken, type Finding, ok, skipped, warning } from '../examination.ts'

export async function checkEngine(): Promise<Finding<Engine['name']>> {
  const { name, reason, unmarked } = await loadEngine()
  if (unmarked !== undefined)
    return warning(
      `${name}, but this engine cannot mark processes: ${unmarked}`,
      'While other commands run, a process that leaves its session and clears its environment can outlive its command. Set the limit of file locks to unlimited (ulimit -x, LimitLOCKS=)',
      name,
    )
  if (name === 'posix') return ok('posix', name)
  return warning(
    `portable: ${reason ?? 'no reason given'}`,
    'Commands cannot open /dev/stdin, /dev/stdout, /dev/stderr or use a terminal, and processes that start a process session of their own (setsid) are not ended. Run the agent on Linux with glibc 2.34 or newer',
    name,
  )
}

/** The runtime gives commands this score if the agent's own score is lower. */
const OF_COMMANDS = 500

const ADVICE =
  'When memory runs out, the kernel may end the agent first, with all its commands. Start the agent with a lower score (systemd: OOMScoreAdjust=; Kubernetes: memory requests equal to the limits)'

/** Checks that the kernel would end a command before the agent when memory runs out. */
export function checkOomScore(engine: Engine['name'], proc = '/proc/self'): Finding {
  const own = score(`${proc}/oom_score_adj`)
  if (own === undefined) return skipped('this system has no oom_score_adj in /proc')
  if (engine === 'portable')
    return warning(
      `${own} for the agent and for commands: the portable engine does not raise the score of commands`,
      ADVICE,
    )
  if (own >= OF_COMMANDS) return warning(`${own} for the agent, and no higher for commands`, ADVICE)
  return ok(
    `${own} for the agent, ${OF_COMMANDS} for commands: when memory runs out, the kernel ends commands first`,
  )
}

function score(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** Checks that process 1 or the agent reaps the processes that commands leave behind. */
export function checkProcessOne(engine: Engine['name'], ownPid = process.pid, proc = '/proc'): Finding {
  const name = readProgramName(`${proc}/1`)
  if (name === undefined) return skipped('this system does not show process 1')
  const isAgent = ownPid === 1 || name.includes('runbook-agent')
  if (engine === 'posix')
    return ok(
      isAgent
        ? 'the agent is process 1 and reaps orphans and its commands'
        : `${name}; the agent reaps processes that commands leave behind`,
    )
  if (!isAgent) return ok(`${name}; this program has to reap processes that commands leave behind`)
  return warning(
    'the agent is process 1, and the portable engine reaps only its own commands',
    'Processes that commands leave behind become zombies. Start the agent under an init process (tini, docker run --init)',
  )
}

/** @returns the program's name from its command line; undefined without /proc */
function readProgramName(folder: string): string | undefined {
  try {
    const words = readFileSync(`${folder}/cmdline`, 'latin1').split('\0').filter(Boolean)
    if (words.length === 0) return readFileSync(`${folder}/comm`, 'utf8').trim()
    // Omits later words, because they may contain secrets.
    return words[0]?.endsWith('node') === true ? words.slice(0, 2).join(' ') : words[0]
  } catch {
    return undefined
  }
}

/**
 * Bytes outside the heap: code, stacks and buffers. After 120 MB of output, an agent used 102 to 111 MB in
 * total.
 */
const BESIDE_THE_HEAP = 96 * 1024 ** 2

/**
 * Compares the memory that the agent may use with the container's limit. The kernel ends an agent that
 * exceeds this limit.
 */
export function checkMemory(
  { tailMemoryBytes }: Pick<AgentConfiguration, 'tailMemoryBytes'>,
  limit = process.constrainedMemory(),
  heap = getHeapStatistics().heap_size_limit,
): Finding {
  // Without a limit, libuv returns 0 or an enormous number.
  const isLimited = limit > 0 && limit < totalmem()
  const available = isLimited ? limit : totalmem()
  const most = heap + tailMemoryBytes + BESIDE_THE_HEAP
  const found = `${sizeText(available)} ${isLimited ? 'limit' : 'machine, no limit'}, the agent may use ${sizeText(most)}: heap ${sizeText(heap)}, tails ${sizeText(tailMemoryBytes)}, rest ${sizeText(BESIDE_THE_HEAP)}`
  if (most <= available) return ok(found)
  return warning(
    found,
    `Commands need memory as well: raise the limit, set NODE_OPTIONS=--max-old-space-size=${megabytes(available)}, or lower output.tail-memory`,
  )
}

/** Gives the heap a quarter of the limit, so that three quarters remain for commands. */
function megabytes(bytes: number): number {
  return Math.max(64, Math.floor(bytes / 4 / 1024 ** 2))
}

/** Checks that the limit of open files allows `limits.sessions` executions. */
export function checkOpenFiles({ limitsSessions }: Pick<AgentConfiguration, 'limitsSessions'>): Finding {
  const limit = openFileLimit('/proc/self/limits')
  if (limit === undefined) return skipped('this system does not show its limit of open files')
  const needed = limitsSessions * FILES_PER_EXECUTION + OTHER_FILES
  const found = `${limit} allowed, ${needed} needed for ${limitsSessions} sessions, ${readdirSync('/proc/self/fd').length} open in this process`
  if (limit >= needed) return ok(found)
  return warning(
    found,
    `Raise the limit to ${needed} (systemd: LimitNOFILE=, else ulimit -n), or lower limits.sessions to ${executionsWithin(limit)}`,
  )
}

const CONTROLLERS = ['memory', 'pids']

type Limits = Pick<AgentConfiguration, 'limitsMemoryBytes' | 'limitsProcesses'>

/**
 * Moves a child into a new group below this process's group, then ends the child and removes the group. The
 * check does not use `ControlGroups`, which would divide the group and end processes of dead agents.
 */
export async function checkControlGroups({ limitsMemoryBytes, limitsProcesses }: Limits): Promise<Finding> {
  const isLimited = limitsMemoryBytes !== undefined || limitsProcesses !== undefined
  const folder = groupFolder('v2', process.pid, `/proc/${process.pid}`)
  const obstacle =
    folder === undefined ? 'no mounted cgroup v2 shows the group of this process' : await obstacleIn(folder)
  if (folder === undefined || obstacle !== undefined) return without(obstacle ?? '', isLimited)
  const offered = readWords(path.join(folder, 'cgroup.controllers'))
  const missing = CONTROLLERS.filter((one) => !offered.includes(one))
  if (missing.length === 0) return ok(`${folder} is delegated, with ${CONTROLLERS.join(' and ')}`)
  const found = `${folder} is delegated, without ${missing.join(' and ')}`
  if (!isLimited) return ok(`${found}: executions have groups, but no limits`)
  return warning(
    found,
    'limits.memory and limits.processes need these controllers: delegate them, or remove the limits',
  )
}

function without(reason: string, isLimited: boolean): Finding {
  if (!isLimited) return ok(`executions have no groups, and no limit needs groups (${reason})`)
  return broken(
    `executions cannot have groups: ${reason}`,
    'The agent does not start, because limits.memory and limits.processes cannot be enforced. Delegate a cgroup v2 (systemd: Delegate=yes), or remove the limits',
  )
}

async function obstacleIn(folder: string): Promise<string | undefined> {
  const [type] = readWords(path.join(folder, 'cgroup.type'))
  if (type === undefined) return `${folder} is the root of all groups of this machine`
  if (type !== 'domain') return `${folder} is of the type ${type}`
  // Agents ignore a group with this name.
  const group = path.join(folder, `doctor-${randomBytes(4).toString('hex')}`)
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // A child that did not start emits `error`, not `exit`.
  const over = once(child, 'exit').catch(() => undefined)
  try {
    mkdirSync(group)
    if (child.pid === undefined) return `no process could be started to test ${folder}`
    writeValue(path.join(group, 'cgroup.procs'), child.pid)
    return undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return `${folder} is not delegated to this user: ${code ?? message}`
  } finally {
    signalChild(child, 'SIGKILL')
    await over
    removeGroup(group)
  }
}

/** The unit of systemd/ that the check reads if this process belongs to no unit. */
const AGENT_UNIT = 'runbook-agent.service'
const ASK_MS = 3000

export async function checkStopTime({
  drainMs,
  killGraceMs,
}: Pick<AgentConfiguration, 'drainMs' | 'killGraceMs'>): Promise<Finding> {
  const answer = await firstLoaded([
    ...ownUnit(),
    { name: AGENT_UNIT, ofUser: false },
    { name: AGENT_UNIT, ofUser: true },
  ])
  if (typeof answer === 'string') return skipped(answer)
  const neededMs = longestStopMs({ drainMs, killGraceMs })
  const found = `${answer.unit} has TimeoutStopSec=${answer.text}, but a stop takes up to ${neededMs / 1000} s (drain, twice kill.grace, and a margin)`
  if (milliseconds(answer.text) >= neededMs) return ok(found)
  return warning(
    found,
    `systemd would kill the agent before its commands end: set TimeoutStopSec=${Math.ceil(neededMs / 1000)}, or lower drain`,
  )
}

interface Unit {
  readonly name: string
  /** The unit belongs to `systemctl --user`. */
  readonly ofUser: boolean
}

interface Timeout {
  readonly unit: string
  /** Uses systemd's form, for example `1min 30s`. */
  readonly text: string
}

/** @returns a text with the reason if systemd knows none of the units */
async function firstLoaded(units: readonly Unit[]): Promise<Timeout | string> {
  let reason = ''
  for (const unit of units) {
    const answer = await show(unit)
    if (typeof answer !== 'string') return answer
    reason ||= answer
  }
  return reason
}

async function show({ name, ofUser }: Unit): Promise<Timeout | string> {
  const args = [...(ofUser ? ['--user'] : []), 'show', '--property=LoadState,TimeoutStopUSec', name]
  try {
    const { stdout } = await promisify(execFile)('systemctl', args, { timeout: ASK_MS })
    const [, state] = /^LoadState=(.*)$/m.exec(stdout) ?? []
    const [, text = ''] = /^TimeoutStopUSec=(.*)$/m.exec(stdout) ?? []
    return state === 'loaded' ? { unit: name, text } : `systemd knows no unit ${name}`
  } catch (error) {
    const isMissing = errnoOf(error) === 'ENOENT'
    return isMissing ? 'systemctl not found' : 'systemd does not answer'
  }
}

const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/**
 * Reads a time in systemd's form, for example `1min 30s` or `infinity`. Any other form counts as `infinity`.
 */
export function milliseconds(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/g)]
  const known = parts.every(([, , unit = '']) => unit in UNITS)
  if (parts.length === 0 || !known) return Infinity
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0), 0)
}

/**
 * Reads the unit from a group such as `/system.slice/runbook-agent.service`. The unit of a user is below the
 * user's `user@1000.service`.
 */
function ownUnit(): Unit[] {
  const units = [...ownGroups().matchAll(/\/([^/\n]+\.service)(?=\/|$)/gm)].map(([, name = '']) => name)
  const name = units.at(-1)
  if (name === undefined || name.startsWith('user@')) return []
  return [{ name, ofUser: units.length > 1 }]
}

function ownGroups(): string {
  try {
    return readFileSync('/proc/self/cgroup', 'utf8')
  } catch {
    return ''
  }
}
