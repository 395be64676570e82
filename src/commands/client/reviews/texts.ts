import { groupsText } from '../../../basics/text/lists.ts'
import { parsedJson } from '../../../basics/text/json.ts'
import { oneLine } from '../../../basics/text/printable.ts'
import type { ItemColumn } from '../../../basics/text/table.ts'
import {
  deciderOf,
  groupNames,
  neededApprovals,
  windowOf,
  type Review,
  type ReviewedBatch,
  type ReviewGroup,
} from '../../../client/rest/reviews.ts'
import { runbookOf, userOf, type RecordedSession } from '../../../client/rest/sessions.ts'
import { durationText } from '../../../basics/text/units.ts'
import { factLines } from '../asking/asking.ts'
import { connectionCount, indented, moment, scriptText } from '../report/words.ts'

export type ShownReview = Review & { readonly about: RecordedSession | undefined }

export const REVIEW_COLUMNS: readonly ItemColumn<ShownReview>[] = [
  { heading: 'REVIEW', of: ({ id }) => id.slice(0, 8), whole: ({ id }) => id },
  { heading: 'STATUS', of: statusWord },
  { heading: 'APPROVED', leftOut: 2, of: approvals },
  {
    heading: 'USER',
    shrinks: true,
    of: ({ owner, about }) => owner || (about === undefined ? '' : userOf(about)),
  },
  { heading: 'CONNECTION', shrinks: true, of: connectionsText },
  {
    heading: 'RUNS',
    shrinks: true,
    leftOut: 4,
    of: requestText,
  },
  {
    heading: 'GROUPS',
    shrinks: true,
    leftOut: 3,
    of: (review) => groupNames(review).join(', '),
  },
  { heading: 'ASKED', leftOut: 1, of: ({ created_at: at }) => moment(at) },
  { heading: 'WAITS', of: timeLeft },
]

/**
 * Returns the time left for the approvers, such as `6h`. Returns an empty text after the decision, or if the
 * gateway sends no deadline.
 */
function timeLeft({ status, expires_at: end }: Review): string {
  const seconds = (Date.parse(end) - Date.now()) / 1000
  return status === 'PENDING' && seconds > 0 ? durationText(seconds) : ''
}

function connectionsText({ batch, connection, about }: ShownReview): string {
  if (batch === undefined) return connection || (about?.connection ?? '')
  const names = batch.waves.flat().join(', ')
  return names === '' ? countOf(batch) : `${countOf(batch)}: ${names}`
}

/** Returns `1 of 2`, or only `1` if the review does not say how many approvals it needs. */
function approvals(review: Review): string {
  const needed = neededApprovals(review)
  const given = review.review_groups_data.filter(({ status }) => status === 'APPROVED').length
  return needed === undefined ? String(given) : `${given} of ${needed}`
}

/** Returns what runs, followed by the values of a runbook or the first line of a script. */
function requestText(review: ShownReview): string {
  const { summary } = review
  const values = (summary?.values ?? []).map(({ name, value }) => `${name}=${value}`)
  const more = summary?.more_values
  const parts = [summary?.first_line ?? '', ...values, more === undefined ? '' : `and ${more} more`]
  const what = whatRuns(review, review.about)
  const given = parts.filter((part) => part !== '').join(' ')
  return what === '' || given === '' ? what : `${what}: ${given}`
}

/**
 * Returns the runbook's title or file, `a terminal` or `a script`. Returns an empty text if this is unknown.
 */
function whatRuns({ runbook, owner, type }: Review, session: RecordedSession | undefined): string {
  if (runbook !== undefined) return runbook.title || runbook.file
  const recorded = session && runbookOf(session)
  if (recorded !== undefined) return recorded
  if (session === undefined && owner === '') return ''
  return (session?.verb ?? (type === 'jit' ? 'connect' : 'exec')) === 'connect' ? 'a terminal' : 'a script'
}

const NANOSECONDS = 1_000_000_000

/**
 * Shows the whole script and all values, because approvers have to see everything that would run.
 * @param session undefined if this user may not see it
 */
export function reviewDetails(review: Review, session: RecordedSession | undefined): string {
  const window = windowOf(review)
  const seconds = review.access_duration / NANOSECONDS
  const given = [...(session === undefined ? [] : givenTo(session)), ...sentWith(review)]
  const batch = batchOf(review)
  const facts = factLines([
    ['review', review.id],
    ['status', `${statusWord(review)}${runsText(review)}, approved by ${approvals(review)}`],
    ['withdrawn by', review.withdrawn_by],
    ['reason', review.withdrawn_by === '' ? review.rejection_reason : ''],
    ['session', review.session],
    ['for', review.owner || (session === undefined ? '' : userOf(session))],
    [
      'by machine',
      review.machine === undefined ? '' : `${review.machine.tool} (client: ${review.machine.client})`,
    ],
    ['on', placeOf(review, session)],
    ...batch.filter(fitsLine),
    ['runs', whatRuns(review, session)],
    ['file', review.runbook?.file ?? ''],
    ['known', knownText(review)],
    ...outcomesOf(review),
    ...given.filter(fitsLine),
    ['asked', moment(review.created_at)],
    ['waits for', timeLeft(review)],
    ['only', window === undefined ? '' : `from ${window.start} to ${window.end} UTC`],
    ['for at most', seconds > 0 ? durationText(seconds) : ''],
    ['rule', review.access_request_rule_name],
    ...review.review_groups_data.map((group) => [`group ${group.group}`, decision(group)] as const),
    ['who can', approversText(review)],
    ['your approval', effectText(review)],
    ['you can', possibleText(review)],
  ])
  const long = [...batch, ...given].filter((fact) => !fitsLine(fact)).map(wholeValue)
  return `${facts}${long.join('')}${session === undefined ? UNSEEN : wholeScript(session)}`
}

/**
 * Returns what the history says about the request, such as `first run by ann, runbook changed since the approved
 * run of 2026-01-31 by bob`. Returns an empty text if it says nothing, or if the gateway sends no facts.
 */
function knownText({ facts, batch, owner, type, runbook }: Review): string {
  const { is_first_by_requester: isFirst, new_connections: added = 0, previous } = facts ?? {}
  const what = runbook !== undefined ? 'run' : type === 'jit' ? 'terminal on it' : 'script on it'
  const where = batch === undefined ? 'this connection' : `${added} of ${countOf(batch)}`
  return [
    isFirst === true ? `first ${what} by ${owner}` : '',
    added > 0 ? `first run on ${where}` : '',
    previous === undefined ? '' : previousText(facts?.is_runbook_changed, previous),
  ]
    .filter((text) => text !== '')
    .join(', ')
}

/** How the last other runs have ended, of the runbook by anybody and of the requester. */
function outcomesOf({ outcomes, owner }: Review): (readonly [string, string])[] {
  return [
    ['runbook before', endsText(outcomes?.runbook ?? [])],
    [`${owner} before`, endsText(outcomes?.requester ?? [])],
  ]
}

type End = NonNullable<Review['outcomes']>['requester'][number]

/**
 * Returns, for example, `9 of 10 runs succeeded, usually 50s, the last one failed (session c0ffee00)`. The usual time
 * is that of a success in the middle. Returns an empty text if there was no run.
 */
function endsText(ends: readonly End[]): string {
  const [last] = ends
  if (last === undefined) return ''
  const succeeded = ends.filter(({ outcome }) => outcome === 'succeeded')
  const times = succeeded.flatMap(({ ran_ms: ran }) => ran ?? []).toSorted((a, b) => a - b)
  const middle = times[Math.floor((times.length - 1) / 2)]
  const usually =
    middle === undefined ? '' : `, usually ${middle < 1000 ? 'less than 1s' : durationText(middle / 1000)}`
  const where = last.session === '' ? '' : ` (session ${last.session.slice(0, 8)})`
  const count = `${succeeded.length} of ${ends.length} ${ends.length === 1 ? 'run' : 'runs'} succeeded`
  return `${count}${usually}, the last one ${last.outcome}${where}`
}

type Previous = NonNullable<NonNullable<Review['facts']>['previous']>

function previousText(isChanged: boolean | undefined, { owner, ran_at: at, session }: Previous): string {
  const run = `the approved run${moment(at) === '' ? '' : ` of ${moment(at)}`} by ${owner} (session ${session.slice(0, 8)})`
  if (isChanged === undefined) return `compare it with ${run}`
  return isChanged ? `runbook changed since ${run}` : `runbook as in ${run}`
}

/** Returns, for example, `dba: bea, max and 2 more; boss: eve by force`. */
function approversText({ approvers = [] }: Review): string {
  return approvers
    .filter(({ names }) => names.length > 0)
    .map(({ group, names, others, can_force: isForced }) => {
      const more = others > 0 ? ` and ${others} more` : ''
      return `${group}: ${names.join(', ')}${more}${isForced === true ? ' by force' : ''}`
    })
    .join('; ')
}

/** Returns, for example, `counts for dba, then leads`. Returns an empty text if the user cannot approve. */
function effectText({ your_approval: effect }: Review): string {
  if (effect === undefined) return ''
  const missing = effect.missing.map(({ groups, minimum }) => groupsText(groups, minimum))
  const then =
    missing.length === 0 ? 'and is the last one needed' : `then still needs ${missing.join('; and ')}`
  return `counts for ${effect.groups.join(' and ')}, ${then}`
}

/** Tells whether `factLines` shows the value unchanged: it cuts long values and joins lines. */
function fitsLine([, value]: readonly [string, string]): boolean {
  return oneLine(value) === value
}

function wholeValue([name, value]: readonly [string, string]): string {
  return `\n${oneLine(name)}\n${indented(value)}`
}

/**
 * Returns, for example, `approve, reject`. If the user can withdraw the request, `reject` and `revoke` are
 * left out. Returns an empty text if the gateway does not send what the user can do.
 */
function possibleText({ can }: Review): string {
  if (can === undefined) return ''
  const { approve, force, reject, revoke, withdraw } = can
  const words = [
    approve && 'approve',
    force && 'force the approval',
    reject && !withdraw && 'reject',
    revoke && !withdraw && 'revoke',
    withdraw && 'withdraw',
  ]
  return words.filter((word) => word !== false).join(', ')
}

/** Returns `withdrawn`, not `rejected`, for a withdrawn request. */
export function statusWord({ status, withdrawn_by: by }: Review): string {
  return by === '' ? status.toLowerCase() : 'withdrawn'
}

/** Returns, for example, ` (3 succeeded, 1 failed)`. Returns an empty text before the first run. */
function runsText({ runs }: Review): string {
  if (runs === undefined) return ''
  const { succeeded, failed, stopped, running, not_begun: left } = runs
  const counts = { succeeded, failed, stopped, running, 'not begun': left }
  const some = Object.entries(counts).filter(([, count]) => count > 0)
  return ` (${some.map(([word, count]) => `${count} ${word}`).join(', ')})`
}

function placeOf({ batch, connection }: Review, session: RecordedSession | undefined): string {
  if (batch !== undefined) return `${countOf(batch)}, once on each`
  return connection || (session?.connection ?? '')
}

function countOf(batch: ReviewedBatch): string {
  return connectionCount(batch.connections)
}

function batchOf({ batch }: Review): (readonly [string, string])[] {
  if (batch === undefined) return []
  const { id, waves, parallel, threshold } = batch
  return [
    ...waves.map((wave, at) => [`wave ${at + 1}`, wave.join(', ')] as const),
    ['parallel', String(parallel)],
    ['stops after', `${threshold} ${threshold === 1 ? 'failure' : 'failures'}`],
    ['batch', id],
  ]
}

const UNSEEN = '\nThe gateway does not show you this session, so you cannot see what would run.\n'

function decision(group: ReviewGroup): string {
  const { status, review_date: at, forced_review: isForced } = group
  const by = deciderOf(group)
  const who = by === '' ? '' : ` by ${by}`
  const when = moment(at) === '' ? '' : ` at ${moment(at)}`
  const said = group.comment === '' ? '' : `: ${group.comment}`
  return `${status.toLowerCase()}${who}${when}${isForced ? ', forced' : ''}${said}`
}

/**
 * Returns the recorded parameters and metadata. Gateways do not record parameters of type file, and the
 * embedded gateway does not record passwords, either.
 */
function givenTo({ labels, metadata = {} }: RecordedSession): (readonly [string, string])[] {
  const recorded = labels?.['runbookParameters']
  const parameters = recorded === undefined ? undefined : parsedJson(recorded)
  return [
    ...Object.entries(fieldsOf(parameters)).map(([name, value]) => [`-p ${name}`, plain(value)] as const),
    ...Object.entries(metadata).map(([name, value]) => [`metadata ${name}`, plain(value)] as const),
  ]
}

/** Returns the arguments, and the names of variables and files. Gateways never show values of variables. */
function sentWith({ client_args: args, env_vars: keys }: Review): (readonly [string, string])[] {
  const named = (kind: string) =>
    keys.flatMap((key) => (key.startsWith(kind) ? [key.slice(kind.length)] : [])).join(', ')
  return [
    ...args.map((arg, at) => [`argument ${at + 1}`, arg || '(empty)'] as const),
    ['variables', named('envvar:')],
    ['files', named('filesystem:')],
  ]
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function plain(value: unknown): string {
  return typeof value === 'string' ? value || '(empty)' : JSON.stringify(value)
}

function wholeScript(session: RecordedSession): string {
  const text = scriptText(session)
  const isUnseen = text === '' && session.verb !== 'connect'
  return isUnseen ? '\nThe script is empty, or the gateway does not show it.\n' : text
}

/** Describes the outcome for a person, in one line. */
export function outcomeText(review: Review): string {
  const { session, status, batch, review_groups_data: groups } = review
  const window = windowOf(review)
  const named = oneLine(batch === undefined ? `session ${session}` : `batch ${batch.id}`)
  switch (status) {
    case 'APPROVED': {
      const when = window === undefined ? '' : `, from ${window.start} to ${window.end} UTC only`
      const where = batch === undefined ? '' : ` on ${countOf(batch)}, once on each`
      return oneLine(`approved: ${named} may run${where}${when}`)
    }
    case 'REJECTED':
      return `rejected: ${named} will not run`
    case 'PENDING': {
      const open = groups.filter((one) => one.status === 'PENDING').map(({ group }) => group)
      return oneLine(`approved by ${approvals(review)}: ${named} waits for ${open.join(', ') || 'more'}`)
    }
    default:
      return oneLine(`${named}: ${status.toLowerCase()}`)
  }
}
