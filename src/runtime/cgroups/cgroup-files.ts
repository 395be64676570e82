import { closeSync, constants, openSync, readdirSync, readFileSync, rmdirSync, writeSync } from 'node:fs'
import path from 'node:path'
import { errnoOf } from '../../basics/errors.ts'

/**
 * Opens the file without O_CREAT. With O_CREAT, the kernel would answer EACCES instead of ENOENT.
 * @throws errno errors
 */
export function writeValue(file: string, value: string | number): void {
  const fd = openSync(file, constants.O_WRONLY | constants.O_TRUNC)
  try {
    writeSync(fd, String(value))
  } finally {
    closeSync(fd)
  }
}

/** Returns false if the value could not be written, for any reason. */
export function tryWrite(file: string, value: string | number): boolean {
  try {
    writeValue(file, value)
    return true
  } catch {
    return false
  }
}

/** Returns an empty list if the file cannot be read. */
export function readWords(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\s+/).filter(Boolean)
  } catch {
    return []
  }
}

/** Returns the number after `key` in a file with lines `key number`. */
export function readCount(file: string, key: string): number | undefined {
  const words = readWords(file)
  const at = words.indexOf(key)
  return at === -1 ? undefined : Number(words[at + 1])
}

/**
 * Returns whether a living process is in the group or in a group below it. Returns false if the group is
 * gone.
 */
export function isPopulated(group: string): boolean {
  return readCount(path.join(group, 'cgroup.events'), 'populated') === 1
}

/** Lists the groups directly below. */
export function subgroups(group: string): string[] {
  try {
    return readdirSync(group, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(group, entry.name))
  } catch {
    return []
  }
}

/**
 * Lists the processes in the group and in the groups below it. Leaves out 0, which stands for a process of
 * another pid namespace. kill(2) with 0 would signal the agent's own process group.
 */
export function pidsIn(group: string): number[] {
  const own = readWords(path.join(group, 'cgroup.procs')).map(Number)
  return [...own.filter((pid) => pid > 1), ...subgroups(group).flatMap(pidsIn)]
}

/** Removes a group and the groups below it. Returns false while a process lives in one of them. */
export function removeGroup(group: string): boolean {
  if (removeEmpty(group)) return true
  for (const below of subgroups(group)) removeGroup(below)
  return removeEmpty(group)
}

function removeEmpty(group: string): boolean {
  try {
    rmdirSync(group)
    return true
  } catch (error) {
    return errnoOf(error) === 'ENOENT'
  }
}

/** cgroup v2, or v1's memory controller. A hybrid system has both. */
export type Hierarchy = 'v2' | 'v1-memory'

interface Mount {
  /** The group that is visible at `point`. */
  readonly root: string
  readonly point: string
}

/** Returns undefined if no mount shows the group. @param proc the process's folder in /proc */
export function groupFolder(hierarchy: Hierarchy, pid: number, proc: string): string | undefined {
  const group = groupPath(hierarchy, lines(`${proc}/cgroup`))
  if (group === undefined) return undefined
  return mounts(hierarchy, lines(`${proc}/mountinfo`))
    .map((mount) => folderBelow(mount, group))
    .find((folder) => folder !== undefined && isIn(folder, pid))
}

/** Reads lines of the form `id:controllers:path`. The line of v2 is `0::path`. */
function groupPath(hierarchy: Hierarchy, groups: readonly string[]): string | undefined {
  for (const line of groups) {
    const [, id, controllers = '', group] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? []
    const wanted = hierarchy === 'v2' ? id === '0' : controllers.split(',').includes('memory')
    if (wanted) return group
  }
  return undefined
}

/** Reads lines `36 35 98:0 root point options ... - type source super-options`. */
function mounts(hierarchy: Hierarchy, mountinfo: readonly string[]): Mount[] {
  return mountinfo.flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ')
    const [type, , options = ''] = right.split(' ')
    const wanted =
      hierarchy === 'v2' ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('memory')
    const [, , , root, point] = left.split(' ').map(unescape)
    return wanted && root !== undefined && point !== undefined ? [{ root, point }] : []
  })
}

/** Returns undefined for groups outside our cgroup namespace, whose paths the kernel writes with `/..`. */
function folderBelow({ root, point }: Mount, group: string): string | undefined {
  if (root.startsWith('/..') || group.startsWith('/..')) return undefined
  const below = path.posix.relative(root, group)
  return below.startsWith('..') ? undefined : path.posix.join(point, below)
}

/**
 * Returns whether the process is in this group. Another mount may hide the mount of this folder, and the path
 * then leads to another group.
 */
function isIn(folder: string, pid: number): boolean {
  return readWords(`${folder}/cgroup.procs`).includes(String(pid))
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return []
  }
}

/** The kernel writes blanks as `\040`. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
}
