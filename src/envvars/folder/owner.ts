import { errnoOf } from '../../basics/errors.ts'
import { constants, existsSync } from 'node:fs'
import { lstat, readFile, readlink, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/**
 * The file in an agent's folder that identifies the agent's process. It has three lines: pid, start time and
 * place.
 */
const OWNER_FILE = 'owner'
const START_TIME_FIELD = 22
const STATE_FIELD = 3

/** A living agent touches its owner file at this interval. */
export const TOUCH_INTERVAL_MS = 10 * 60_000
/**
 * If an owner is invisible and its file is not touched for this time, the owner counts as dead. It has then
 * missed six touches.
 */
const SILENCE_MS = 60 * 60_000

interface Owner {
  readonly pid: number
  /** Clock ticks since boot (field 22 of /proc/<pid>/stat). Empty on systems without /proc. */
  readonly startTime: string
  /** `pid` is valid only in this boot and this pid namespace. */
  readonly place: string
}

export async function claimOwnership(folder: string): Promise<void> {
  const startTime = (await readStartTime(process.pid)) ?? ''
  const lines = [String(process.pid), startTime, await currentPlace()]
  await writeFile(join(folder, OWNER_FILE), `${lines.join('\n')}\n`, { flag: 'wx', mode: 0o600 })
}

/**
 * Touches the owner file. The touch shows other agents that this process is alive, even if they cannot see
 * the process. It also keeps the folder from programs that remove old files.
 */
export async function touchOwner(folder: string): Promise<void> {
  const now = new Date()
  await utimes(join(folder, OWNER_FILE), now, now)
}

/** Returns whether the agent that made the folder has ended, as far as this process can see. */
export async function isAbandoned(folder: string): Promise<boolean> {
  const state = await ownerState(folder)
  return state === 'ended' || state === 'silent'
}

/**
 * Returns the state of the agent that made the folder. `running` and `ended` are certain. An owner that this
 * process cannot see is `heard` if its file was touched within the last hour, otherwise `silent`.
 */
export async function ownerState(folder: string): Promise<'running' | 'ended' | 'heard' | 'silent'> {
  const owner = await readOwner(folder)
  // A folder gets its owner file before it gets its name. Only a folder that is half removed has no owner
  // file.
  if (owner === undefined) return (await isSilent(folder)) ? 'silent' : 'heard'
  if (owner.place !== (await currentPlace()))
    return (await isSilent(join(folder, OWNER_FILE))) ? 'silent' : 'heard'
  if (await isRunning(owner)) return 'running'
  // With hidepid=2, /proc shows no other agents, because agents are not dumpable. Signals still reach these
  // agents.
  if (
    (await readStartTime(owner.pid)) === undefined &&
    answersSignals(owner.pid) &&
    !(await isZombie(owner.pid))
  )
    return (await isSilent(join(folder, OWNER_FILE))) ? 'silent' : 'heard'
  return 'ended'
}

/** Returns whether the last change of a file or folder is so old that no living agent owns it. */
export async function isSilent(path: string): Promise<boolean> {
  const { mtimeMs } = await lstat(path)
  return Date.now() - mtimeMs > SILENCE_MS
}

async function readOwner(folder: string): Promise<Owner | undefined> {
  try {
    const flag = constants.O_RDONLY | constants.O_NOFOLLOW
    const text = await readFile(join(folder, OWNER_FILE), { encoding: 'utf8', flag })
    const [pid = '', startTime = '', place = ''] = text.split('\n')
    return /^[1-9]\d*$/.test(pid) ? { pid: Number(pid), startTime, place } : undefined
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function isRunning(owner: Owner): Promise<boolean> {
  if (owner.startTime === '') return answersSignals(owner.pid)
  return (await readStartTime(owner.pid)) === owner.startTime
}

/** Returns undefined if no such process runs. A zombie counts as ended. */
async function readStartTime(pid: number): Promise<string | undefined> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets. The name itself may contain brackets and spaces.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
    const state = fields[STATE_FIELD - 3]
    return state === 'Z' || state === 'X' ? undefined : fields[START_TIME_FIELD - 3]
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(error))) return undefined
    throw error
  }
}

async function isZombie(pid: number): Promise<boolean> {
  return existsSync(`/proc/${pid}`) && (await readStartTime(pid)) === undefined
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) !== 'ESRCH'
  }
}

/**
 * Returns boot and pid namespace. Both are needed: containers of one pod share /dev/shm but not pids, and a
 * reboot reuses pids.
 */
async function currentPlace(): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
