import { readFileSync } from 'node:fs'
import path from 'node:path'
import { readWords } from './cgroup-files.ts'

/** cgroup v2, or v1's memory controller. A hybrid system has both. */
export type Hierarchy = 'v2' | 'v1-memory'

interface Mount {
  /** The group that is visible at `point`. */
  readonly root: string
  readonly point: string
}

/**
 * The folder of a process's group; undefined where no mount shows it.
 * @param proc the process's folder in /proc
 */
export function groupFolder(hierarchy: Hierarchy, pid: number, proc: string): string | undefined {
  const group = groupPath(hierarchy, lines(`${proc}/cgroup`))
  if (group === undefined) return undefined
  return mounts(hierarchy, lines(`${proc}/mountinfo`))
    .map((mount) => folderBelow(mount, group))
    .find((folder) => folder !== undefined && isIn(folder, pid))
}

/** Reads lines `id:controllers:path`, `0::path` for v2. */
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

/** For groups above the root of our cgroup namespace the kernel writes `/..`, which leads nowhere here. */
function folderBelow({ root, point }: Mount, group: string): string | undefined {
  if (root.startsWith('/..') || group.startsWith('/..')) return undefined
  const below = path.posix.relative(root, group)
  return below.startsWith('..') ? undefined : path.posix.join(point, below)
}

/**
 * Checks that the kernel lists the process in the folder. The mount may be hidden under another one, and the path may
 * lead to another group.
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

/** The kernel writes blanks in paths as `\040`. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)))
}
