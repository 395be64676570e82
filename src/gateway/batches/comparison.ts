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
/** Maximum number of changed lines in a diff. A larger diff takes long to compute and helps little. */
const MOST_CHANGES = 2000

/** Groups runs by result and output. The first group is the largest, and counts as the usual result. */
export function groupsOf(runs: readonly BatchRun[]): RunGroup[] {
  const groups = new Map<string, BatchRun[]>()
  for (const run of runs) {
    if (run.status !== 'succeeded' && run.status !== 'failed') continue
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

export function outputDifferences(
  history: History,
  [norm, ...others]: readonly RunGroup[],
): GroupDifference[] {
  const usual = norm?.runs[0]
  if (usual === undefined) return []
  const text = textOf(history, usual)
  return others.slice(0, SHOWN_GROUPS).map((group) => {
    const [run] = group.runs as [BatchRun]
    return { group, ...difference({ run: usual, text }, { run, text: textOf(history, run) }) }
  })
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

function textOf(history: History, { session }: BatchRun): RecordedText | undefined {
  if (session === undefined || history.session(session) === undefined) return undefined
  const { bytes, truncated } = history.output(session, COMPARED_BYTES)
  return { text: bytes.toString('utf8'), isWhole: !truncated }
}

function difference(usual: Written, other: Written): Omit<GroupDifference, 'group'> {
  if (other.run.session === undefined) return { note: other.run.message ?? 'the run did not start' }
  if (usual.text === undefined || other.text === undefined)
    return { note: 'the output is no longer in the history' }
  if (usual.text.text === other.text.text) return { note: sameText(usual.text, other) }
  const patch = createTwoFilesPatch(
    ...[usual.run.connection, other.run.connection],
    ...[usual.text.text, other.text.text],
    ...[undefined, undefined],
    { context: 3, maxEditLength: MOST_CHANGES },
  )
  if (patch === undefined) return { note: `more than ${MOST_CHANGES} lines differ` }
  return cut(patch, usual.text.isWhole && other.text.isWhole)
}

function sameText({ isWhole }: RecordedText, { run }: Written): string {
  if (run.fingerprint === undefined) return 'not compared: the gateway was stopped before the run ended'
  return isWhole
    ? 'the output is the same; only the order of stdout and stderr, or the exit code, differs'
    : BEYOND
}

const BEYOND = `the first ${COMPARED_BYTES / 1024} KiB are the same`

function cut(patch: string, isWhole: boolean): Omit<GroupDifference, 'group'> {
  const diff = patch.slice(0, SHOWN_CHARACTERS)
  if (diff.length < patch.length) return { diff, note: 'the rest of the diff is left out' }
  return { diff, ...(!isWhole && { note: `only the first ${COMPARED_BYTES / 1024} KiB were compared` }) }
}
