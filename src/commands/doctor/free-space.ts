import { statfs } from 'node:fs/promises'

/** `f_type` of tmpfs and of ramfs (linux/magic.h): what is written there never reaches a disk, swap aside. */
const MEMORY_TYPES = new Set([0x01021994, 0x858458f6])

/** The file system in which a folder lies. */
export interface Volume {
  /** For this user. */
  readonly freeBytes: number
  /** False when there is room but no file can be made: no inode is left. */
  readonly hasInodes: boolean
  readonly isMemory: boolean
}

export async function volumeOf(folder: string): Promise<Volume> {
  const { bavail, bsize, files, ffree, type } = await statfs(folder)
  return {
    freeBytes: bavail * bsize,
    // btrfs and others that have no table of them say 0 of 0.
    hasInodes: files === 0 || ffree > 0,
    isMemory: MEMORY_TYPES.has(type),
  }
}

/** For people, of three digits or so. */
export function inUnits(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? ''}`
}
