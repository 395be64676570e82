import { errnoOf } from '../../basics/errors.ts'
import { constants, existsSync } from 'node:fs'
import { lstat, readFile, readlink, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** The file in an agent's folder that identifies its process. Three lines: pid, start time, place. */
const OWNER_FILE = 'owner'
const START_TIME_FIELD = 22
const STATE_FIELD = 3

/** Time between two touches of the owner file by a living agent. */
export const TOUCH_INTERVAL_MS = 10 * 60_000
/** Time after which an invisible owner without touches counts as dead. It has then missed six touches. */
const SILENCE_MS = 60 * 60_000

interface Owner {
  readonly pid: number
  /** Clock ticks since boot, field 22 of /proc/<pid>/stat; empty on systems without /proc. */
  readonly startTime: string
  /** The boot and the pid namespace in which `pid` is valid. */
  readonly place: string
}

export async function claimOwnership(folder: string): Promise<void> {
  const startTime = (await readStartTime(process.pid)) ?? ''
  const lines = [String(process.pid), startTime, await currentPlace()]
  await writeFile(join(folder, OWNER_FILE), `${lines.join('\n')}\n`, { flag: 'wx', mode: 0o600 })
}

/** Shows agents that cannot see this process that it is alive. Cleaners of old files also keep the folder. */
export async function touchOwner(folder: string): Promise<void> {
  const now = new Date()
  await utimes(join(folder, OWNER_FILE), now, now)
}

/** Whether the agent that made the folder has ended, as far as this process can see. */
export async function isAbandoned(folder: string): Promise<boolean> {
  const state = await ownerState(folder)
  return state === 'ended' || state === 'silent'
}

/**
 * `running` and `ended` are certain. For an invisible owner: `heard` if its file was touched within the last
 * hour, otherwise `silent`.
 */
export async function ownerState(folder: string): Promise<'running' | 'ended' | 'heard' | 'silent'> {
  const owner = await readOwner(folder)
  // A folder has an owner file before it has its name, so only a half-removed folder has none.
  if (owner === undefined) return (await isSilent(folder)) ? 'silent' : 'heard'
  if (owner.place !== (await currentPlace()))
    return (await isSilent(join(folder, OWNER_FILE))) ? 'silent' : 'heard'
  if (await isRunning(owner)) return 'running'
  // With hidepid=2, /proc shows no other agents, since agents are not dumpable. Signals still reach them.
  if (
    (await readStartTime(owner.pid)) === undefined &&
    answersSignals(owner.pid) &&
    !(await isZombie(owner.pid))
  )
    return (await isSilent(join(folder, OWNER_FILE))) ? 'silent' : 'heard'
  return 'ended'
}

/** Whether the last change of a file or folder is so old that no living agent owns it. */
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

/** Returns undefined if no such process runs (a zombie has ended, too). */
async function readStartTime(pid: number): Promise<string | undefined> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets, which may itself contain brackets and spaces.
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

/** Boot and pid namespace: containers of one pod share /dev/shm but not pids, and a reboot reuses pids. */
async function currentPlace(): Promise<string> {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}
