import { errnoOf } from '../../basics/errors.ts'
import { closeSync, constants, openSync, readdirSync, readFileSync, rmdirSync, writeSync } from 'node:fs'
import path from 'node:path'

/** Writes a value to a file that exists: with O_CREAT the kernel answers EACCES instead of ENOENT. @throws errno errors */
export function writeValue(file: string, value: string | number): void {
  const fd = openSync(file, constants.O_WRONLY | constants.O_TRUNC)
  try {
    writeSync(fd, String(value))
  } finally {
    closeSync(fd)
  }
}

/** @returns false when it could not be written, for whatever reason */
export function tryWrite(file: string, value: string | number): boolean {
  try {
    writeValue(file, value)
    return true
  } catch {
    return false
  }
}

/** The words of a small file; an empty list when it cannot be read. */
export function readWords(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split(/\s+/).filter(Boolean)
  } catch {
    return []
  }
}

/** The number after `key` in a file with lines `key number`; undefined when there is none. */
export function readCount(file: string, key: string): number | undefined {
  const words = readWords(file)
  const at = words.indexOf(key)
  return at === -1 ? undefined : Number(words[at + 1])
}

/** Whether a living process is in the group or below it; false when the group is gone. */
export function isPopulated(group: string): boolean {
  return readCount(path.join(group, 'cgroup.events'), 'populated') === 1
}

/** The groups directly below, as paths. */
export function subgroups(group: string): string[] {
  try {
    return readdirSync(group, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(group, entry.name))
  } catch {
    return []
  }
}

/** Processes in the group and below. Processes of other pid namespaces appear as 0, which would mean us to kill(2). */
export function pidsIn(group: string): number[] {
  const own = readWords(path.join(group, 'cgroup.procs')).map(Number)
  return [...own.filter((pid) => pid > 1), ...subgroups(group).flatMap(pidsIn)]
}

/** Removes a group and those below it. @returns false while a process lives in one of them */
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
