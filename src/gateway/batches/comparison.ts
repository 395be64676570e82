import { createTwoFilesPatch } from 'diff'
import type { History } from '../history/history.ts'
import type { BatchRun } from './batch.ts'

export interface RunGroup {
  /** At least one run, ordered by position. */
  readonly runs: readonly BatchRun[]
}

/** A group of runs, and how its output differs from the output of the largest group. */
export interface GroupDifference {
  readonly group: RunGroup
  /** Unified diff between one run of the largest group and one run of this group. */
  readonly diff?: string
  /** Says why the diff is missing or incomplete. */
  readonly note?: string
}

/**
 * Maximum number of groups with a diff. If there are more groups, users read the outputs one by one anyway.
 */
const SHOWN_GROUPS = 20
/** Bytes compared of each output; later bytes are ignored. */
const COMPARED_BYTES = 64 * 1024
/** Maximum length of a diff. */
const SHOWN_CHARACTERS = 16 * 1024
/** Maximum number of changed lines in a diff. The time grows with the square, and a larger diff helps little. */
const MAX_CHANGES = 500
/** Maximum number of changed lines in all diffs of an answer, also in those that were given up. */
const MAX_CHANGES_IN_ALL = 1500

/** States of runs whose results are compared. */
const ENDED: ReadonlySet<BatchRun['status']> = new Set(['succeeded', 'failed', 'stopped'])

/** Groups runs by result and output. The first group is the largest, and counts as the usual result. */
export function groupsOf(runs: readonly BatchRun[]): RunGroup[] {
  const groups = new Map<string, BatchRun[]>()
  for (const run of runs) {
    if (!ENDED.has(run.status)) continue
    const key = JSON.stringify([run.exitCode, run.code, writtenBy(run)])
    groups.set(key, [...(groups.get(key) ?? []), run])
  }
  return [...groups.values()]
    .map((some) => ({ runs: some }))
    .toSorted((a, b) => b.runs.length - a.runs.length)
}

/** A run without a session has no output, so its message is compared. */
function writtenBy({ session, fingerprint, message }: BatchRun): string | undefined {
  return session === undefined ? message : fingerprint
}

/**
 * Compares group by group. Each comparison waits for its turn among the long works of the gateway, so a
 * difference of many outputs keeps nobody else waiting.
 * @param turn runs a comparison in the turn of the caller
 */
export async function outputDifferences(
  history: History,
  [norm, ...others]: readonly RunGroup[],
  turn: (work: () => Promise<GroupDifference>) => Promise<GroupDifference>,
): Promise<GroupDifference[]> {
  const usual = norm?.runs[0]
  if (usual === undefined) return []
  const text = readRecordedOutput(history, usual)
  const found: GroupDifference[] = []
  const budget = { changes: MAX_CHANGES_IN_ALL }
  for (const group of others.slice(0, SHOWN_GROUPS)) {
    const [run] = group.runs as [BatchRun]
    const compared = () =>
      difference({ run: usual, text }, { run, text: readRecordedOutput(history, run) }, budget)
    found.push(await turn(async () => ({ group, ...(await compared()) })))
  }
  return found
}

interface Written {
  readonly run: BatchRun
  /** Undefined if nothing of the run is recorded. */
  readonly text: RecordedText | undefined
}

interface RecordedText {
  readonly text: string
  readonly isWhole: boolean
}

function readRecordedOutput(history: History, { session }: BatchRun): RecordedText | undefined {
  if (session === undefined || history.session(session) === undefined) return undefined
  const { bytes, truncated } = history.output(session, COMPARED_BYTES)
  return { text: bytes.toString('utf8'), isWhole: !truncated }
}

export type Difference = Omit<GroupDifference, 'group'>

async function difference(usual: Written, other: Written, budget: { changes: number }): Promise<Difference> {
  if (other.run.session === undefined) return { note: other.run.message ?? 'the run did not start' }
  if (usual.text === undefined || other.text === undefined)
    return { note: 'the output is no longer in the history' }
  const [{ text: before }, { text: after }] = [usual.text, other.text]
  if (before === after) return { note: sameText(usual.text, other) }
  if (leastChanges(before, after) > MAX_CHANGES) return TOO_DIFFERENT
  if (budget.changes <= 0) return { note: 'not compared: the groups above differ in too many lines already' }
  const most = Math.min(MAX_CHANGES, budget.changes)
  const patch = await patchOf([usual.run.connection, other.run.connection], [before, after], most)
  budget.changes -= patch === undefined ? most : changesIn(patch)
  return patch === undefined ? TOO_DIFFERENT : cut(patch, usual.text.isWhole && other.text.isWhole)
}

const TOO_DIFFERENT = { note: `more than ${MAX_CHANGES} lines differ` }

/** Lines that only one of the texts has, or has more often. The diff has at least so many changed lines. */
function leastChanges(before: string, after: string): number {
  const counts = new Map<string, number>()
  for (const line of before.split('\n')) counts.set(line, (counts.get(line) ?? 0) + 1)
  for (const line of after.split('\n')) counts.set(line, (counts.get(line) ?? 0) - 1)
  return [...counts.values()].reduce((sum, count) => sum + Math.abs(count), 0)
}

/** Compares two scripts. Reads only their first 64 KiB. */
export async function scriptDifference(
  names: readonly [string, string],
  scripts: readonly [Buffer, Buffer],
): Promise<Difference> {
  const [before = '', after = ''] = scripts.map((script) => script.toString('utf8', 0, COMPARED_BYTES))
  const isWhole = scripts.every(({ length }) => length <= COMPARED_BYTES)
  if (before === after) return { note: isWhole ? 'the script is the same' : BEYOND }
  if (leastChanges(before, after) > MAX_CHANGES) return TOO_DIFFERENT
  const patch = await patchOf(names, [before, after], MAX_CHANGES)
  return patch === undefined ? TOO_DIFFERENT : cut(patch, isWhole)
}

/** With a callback, the library lets the rest of the gateway run after each further changed line. */
function patchOf(
  names: readonly [string, string],
  texts: readonly [string, string],
  most: number,
): Promise<string | undefined> {
  return new Promise((callback) => {
    const options = { context: 3, maxEditLength: most, callback }
    createTwoFilesPatch(...names, ...texts, undefined, undefined, options)
  })
}

function changesIn(patch: string): number {
  return patch.match(/^[+-](?!--|\+\+)/gm)?.length ?? 0
}

function sameText({ isWhole }: RecordedText, { run }: Written): string {
  if (run.fingerprint === undefined) return 'not compared: the gateway was stopped before the run ended'
  return isWhole
    ? 'the output is the same; only the order of stdout and stderr, or the exit code, differs'
    : BEYOND
}

const BEYOND = `the first ${COMPARED_BYTES / 1024} KiB are the same`

function cut(patch: string, isWhole: boolean): Difference {
  const diff = patch.slice(0, SHOWN_CHARACTERS)
  if (diff.length < patch.length) return { diff, note: 'the rest of the diff is left out' }
  return { diff, ...(!isWhole && { note: `only the first ${COMPARED_BYTES / 1024} KiB were compared` }) }
}
