import type { Review, ReviewInSession, Session } from '../../api/types.ts'
import { visible } from '../../parts/visible.ts'
import { lineDiff, type LineDiff } from '../diff/line-diff.ts'
import { recordedParameters } from '../runbooks/recorded.ts'

type Given = ReviewInSession

/** A value that differs. Undefined: it was not given. */
export interface ChangedValue {
  readonly name: string
  /** A runbook can name a parameter like another value, such as `connection`. */
  readonly isParameter: boolean
  readonly before: string | undefined
  readonly now: string | undefined
}

/** Texts of several lines that differ: the script, the arguments, long values. */
export interface ChangedLines {
  readonly name: string
  readonly diff: LineDiff
}

export interface RequestDiff {
  readonly before: Session
  readonly values: readonly ChangedValue[]
  readonly lines: readonly ChangedLines[]
  /** Names of the values that are in `lines`. */
  readonly longValues: readonly string[]
  /** The scripts look the same, but differ in secrets, which are not shown. */
  readonly differsInSecrets: boolean
  /** Whether a requester gave variables, whose values are never shown. */
  readonly hasVariables: boolean
}

/** Compares a request with the last approved run of the same runbook. */
export function requestDiff(
  before: Session,
  now: Session,
  review: Given & Pick<Review, 'brings_input'>,
): RequestDiff {
  const was = before.review
  const script = { name: 'Script', diff: diffOf(before.script.data, now.script.data) }
  const clientArgs = { name: 'Arguments', diff: lineDiff(was?.client_args ?? [], review.client_args) }
  const values = [
    ...changed(placesOf(was ?? { connection: before.connection }), placesOf(review)),
    ...changed(recordedParameters(before.labels), recordedParameters(now.labels), true),
    ...changed(variablesOf(was), variablesOf(review)),
  ]
  const long = values.filter(isLong).map(({ name, before: from = '', now: to = '' }) => ({
    name: `Parameter ${visible(name)}`,
    diff: diffOf(from, to),
  }))
  return {
    before,
    values: values.filter((value) => !isLong(value)),
    longValues: values.filter(isLong).map(({ name }) => name),
    lines: [script, clientArgs, ...long].filter(({ diff }) => sizeOf(diff) > 0),
    differsInSecrets:
      sizeOf(script.diff) === 0 &&
      was?.script_hmac_sha256 !== undefined &&
      review.script_hmac_sha256 !== undefined &&
      was.script_hmac_sha256 !== review.script_hmac_sha256,
    hasVariables: review.brings_input !== false && (was?.env_vars.length ?? 0) + review.env_vars.length > 0,
  }
}

function diffOf(before: string, now: string): LineDiff {
  return lineDiff(before.split('\n'), now.split('\n'))
}

/** Number of lines that differ. A line and the similar line that replaces it count once. */
export function differingLines({ lines, added, removed }: LineDiff): number {
  const replaced = lines.filter(({ kind, pieces }) => kind === 'removed' && pieces !== undefined).length
  return added + removed - replaced
}

export function sizeOf({ added, removed }: LineDiff): number {
  return added + removed
}

function isLong({ before = '', now = '' }: ChangedValue): boolean {
  return before.includes('\n') || now.includes('\n')
}

type Values = Readonly<Record<string, string>>

function changed(was: Values, is: Values, isParameter = false): ChangedValue[] {
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((name) => was[name] !== is[name])
    .map((name) => ({ name, isParameter, before: was[name], now: is[name] }))
}

function placesOf({ connection, batch }: Pick<Given, 'connection' | 'batch'>): Values {
  if (batch === undefined) return { connection }
  return {
    connections: batch.waves.map((names) => names.join(', ')).join('; then '),
    'parallel runs': String(batch.parallel),
    'stops after failures': String(batch.threshold),
  }
}

/** Variables and files have names and no values, so each kind is one entry. */
function variablesOf(given: Given | null): Values {
  const kinds = [
    ['Variables', namesOf('envvar:', given?.env_vars ?? [])],
    ['Files', namesOf('filesystem:', given?.env_vars ?? [])],
  ] as const
  return Object.fromEntries(
    kinds.filter(([, names]) => names.length > 0).map(([kind, names]) => [kind, names.toSorted().join(', ')]),
  )
}

/** Returns the names of one kind. The keys of a request are `envvar:NAME` and `filesystem:NAME`. */
export function namesOf(kind: string, keys: readonly string[]): string[] {
  return keys.filter((key) => key.startsWith(kind)).map((key) => key.slice(kind.length))
}

/** Says of variables and files that an approver decides without their values, and whose they are. */
export function hiddenText({
  owner,
  runbook,
  client_args: args,
  brings_input: isBrought,
}: Pick<Review, 'owner' | 'runbook' | 'client_args' | 'brings_input'>): string {
  const hidden = 'The values are not shown, because they may be secrets.'
  if (runbook === undefined) return `${hidden} ${visible(owner)} sends them.`
  if (isBrought === true && args.length === 0)
    return `${hidden} ${visible(owner)} has added at least one to those of the runbook.`
  return `${hidden} ${visible(owner)} may have added some to those of the runbook.`
}
