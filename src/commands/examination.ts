import { existsSync, constants } from 'node:fs'
import { access, mkdtemp, rmdir, stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { printableJson } from '../basics/text/printable.ts'
import { within } from '../basics/abort.ts'

/** This time is longer than any wait inside a check. A check that reaches it reports only the timeout. */
const DEADLINE_MS = 10_000

/**
 * The result of a check. Later checks need its `fact`. If `fact` is missing, `obstacle` names the check that
 * failed.
 */
export interface Examined<Fact> {
  readonly level: Level
  readonly fact: Fact | undefined
  readonly obstacle: string
}

/** The signal aborts after the check or its timeout. The check must then release all resources. */
type Check<Fact> = (signal: AbortSignal) => Finding<Fact> | Promise<Finding<Fact>>

/** Runs checks one after the other, and reports each result immediately. */
export class Examination {
  readonly #tell: (line: Line) => void
  readonly #deadlineMs: number

  constructor(tell: (line: Line) => void, deadlineMs = DEADLINE_MS) {
    this.#tell = tell
    this.#deadlineMs = deadlineMs
  }

  /** Never rejects: an error of the check becomes a finding. */
  async check<Fact>(name: string, check: Check<Fact>): Promise<Examined<Fact>> {
    const { fact, ...finding } = await this.#within(check)
    this.#tell({ name, ...finding })
    return { level: finding.level, fact, obstacle: name }
  }

  /** Skips the check if the earlier check's fact is missing. */
  async checkWith<Need, Fact>(
    need: Examined<Need>,
    name: string,
    check: (need: Need, signal: AbortSignal) => ReturnType<Check<Fact>>,
  ): Promise<Examined<Fact>> {
    const { fact, obstacle } = need
    if (fact !== undefined) return this.check(name, (signal) => check(fact, signal))
    this.#tell({ name, level: 'skipped', found: `skipped until this check passes: ${obstacle}` })
    return { level: 'skipped', fact: undefined, obstacle }
  }

  async #within<Fact>(check: Check<Fact>): Promise<Finding<Fact>> {
    const life = new AbortController()
    try {
      const finding = Promise.resolve(check(life.signal))
      return (await within(finding, this.#deadlineMs)) ? await finding : tooLate(this.#deadlineMs)
    } catch (error) {
      return failed(error)
    } finally {
      life.abort()
    }
  }
}

function tooLate(ms: number): Finding<never> {
  return {
    level: 'broken',
    found: `no result within ${ms / 1000} s`,
    advice: 'Try again when the machine is less busy',
  }
}

function failed(error: unknown): Finding<never> {
  const { code, message } = error as NodeJS.ErrnoException
  return {
    level: 'broken',
    found: `the check itself failed: ${code ?? message}`,
    advice: 'This may be a bug in runbook-agent',
  }
}

/** `skipped` means that the check could not run or does not apply here. A skipped check is not a problem. */
export type Level = 'ok' | 'warning' | 'broken' | 'skipped'

/** The texts never contain the value of a secret. */
export interface Finding<Fact = undefined> {
  readonly level: Level
  /** The text has one line. */
  readonly found: string
  readonly advice?: string
  /** Later checks that need this fact are skipped if the fact is missing. */
  readonly fact?: Fact | undefined
}

export interface Line {
  readonly name: string
  readonly level: Level
  readonly found: string
  readonly advice?: string
}

export function ok<Fact = never>(found: string, fact?: Fact): Finding<Fact> {
  return { level: 'ok', found, fact }
}

export function warning<Fact = never>(found: string, advice: string, fact?: Fact): Finding<Fact> {
  return { level: 'warning', found, advice, fact }
}

export function broken(found: string, advice: string): Finding<never> {
  return { level: 'broken', found, advice }
}

export function skipped(found: string): Finding<never> {
  return { level: 'skipped', found }
}

export function worst(levels: readonly Level[]): 'ok' | 'warning' | 'broken' {
  if (levels.includes('broken')) return 'broken'
  return levels.includes('warning') ? 'warning' : 'ok'
}

/** Lengths of the longest check name and level. They make the texts begin in the same column. */
const NAME_WIDTH = 15
const LEVEL_WIDTH = 7
const ADVICE_INDENT = ' '.repeat(LEVEL_WIDTH + 2)

/** SGR codes for green, yellow, red and faint. */
const COLOURS: Readonly<Record<Level, string>> = { ok: '32', warning: '33', broken: '31', skipped: '2' }

/** Puts the advice below the finding. */
export function humanLine({ level, name, found, advice = '' }: Line, coloured: boolean): string {
  const padded = level.padEnd(LEVEL_WIDTH)
  const first = `${coloured ? paint(padded, level) : padded}  ${name.padEnd(NAME_WIDTH)}  ${plain(found)}`
  const rest = advice === '' ? [] : advice.split('\n').map((line) => `${ADVICE_INDENT}${plain(line)}`)
  return [first, ...rest].map((line) => `${line}\n`).join('')
}

export function humanSum(lines: readonly Line[]): string {
  const counts = (['ok', 'warning', 'broken', 'skipped'] as const).map(
    (level) => `${lines.filter((line) => line.level === level).length} ${level}`,
  )
  return `${counts.join(', ')}\n`
}

/** The report's `level` is the worst level of all checks. */
export function jsonReport(lines: readonly Line[], version: string): string {
  return `${printableJson({ version, level: worst(lines.map(({ level }) => level)), checks: lines }, 2)}\n`
}

function paint(text: string, level: Level): string {
  return `\u001b[${COLOURS[level]}m${text}\u001b[0m`
}

/** Replaces control characters: names in a certificate may contain any character. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?')
}

/**
 * Checks whether this user can create files in a folder, or can create a missing folder. The check leaves no
 * files.
 * @returns the reason if the user cannot
 */
export async function obstacleTo(folder: string): Promise<string | undefined> {
  try {
    if (existsSync(folder)) await rmdir(await mkdtemp(path.join(folder, '.doctor-')))
    else return await obstacleBelow(nearestExisting(folder))
    return undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code ?? message
  }
}

async function obstacleBelow(folder: string): Promise<string | undefined> {
  if (!(await stat(folder)).isDirectory()) return 'ENOTDIR'
  await access(folder, constants.W_OK | constants.X_OK)
  return undefined
}

/** @returns the folder itself if it exists, otherwise its nearest existing parent */
export function nearestExisting(folder: string): string {
  const parent = path.dirname(folder)
  return existsSync(folder) || parent === folder ? folder : nearestExisting(parent)
}

/** `f_type` of tmpfs and ramfs (linux/magic.h). Files of these systems reach a disk only by swap. */
const MEMORY_TYPES = new Set([0x01021994, 0x858458f6])

interface Volume {
  /** Bytes that this user may use. */
  readonly freeBytes: number
  /** A file system may have free space but no free inodes. */
  readonly hasInodes: boolean
  readonly isMemory: boolean
}

export async function readVolume(folder: string): Promise<Volume> {
  const { bavail, bsize, files, ffree, type } = await statfs(folder)
  return {
    freeBytes: bavail * bsize,
    // btrfs and other file systems without an inode table report 0 of 0.
    hasInodes: files === 0 || ffree > 0,
    isMemory: MEMORY_TYPES.has(type),
  }
}
