import { groupsText } from '../../basics/text/lists.ts'
import type { History } from '../history/history.ts'
import { HistoryError } from '../store/errors.ts'
import type { Users } from '../people/identities/users.ts'
import { FIRST_TARGET_LABEL, targetOf } from '../sessions/first-run.ts'
import type { WaitingEffect } from '../settings/reload.ts'
import type { ReviewSettings } from '../settings/reviews.ts'
import type { ConnectionSettings, Current, GatewaySettings } from '../settings/settings.ts'
import { missingApprovals, standing } from './decision.ts'
import type { ListedReview } from './review.ts'
import { common, reviewRules } from './rules.ts'
import { countsOf } from './terminal-access.ts'

interface Services {
  readonly history: History
  readonly users: Users
  readonly settings: Current<keyof GatewaySettings>
}

/** Settings, and the users as they are with these settings. */
interface Moment {
  readonly users: Users
  readonly settings: GatewaySettings
}

/**
 * Returns the waiting requests on which a reload has an effect, at most 1000. Returns undefined if the history cannot be read. The checks are those that a
 * decision and a run make later: a reload itself changes no request.
 */
export function waitingEffects(
  { history, users, settings }: Services,
  next: GatewaySettings,
): readonly WaitingEffect[] | undefined {
  const before = { users, settings: settings.value }
  const after = { users: users.under(next), settings: next }
  const moved = movedConnections(before.settings, next)
  const waiting = waitingReviews(history)
  return waiting?.flatMap((review) => {
    const found = effectOn(review, before, after) ?? effectOnPair(history, review, moved)
    if (found === undefined) return []
    const { sessionId, owner, connection, runbook } = review
    return [{ sessionId, owner, connection, runbook: runbook?.title ?? runbook?.file, ...found }]
  })
}

function waitingReviews(history: History): readonly ListedReview[] | undefined {
  try {
    return history.read(({ reviews }) => reviews.due(Number.MAX_SAFE_INTEGER))
  } catch (error) {
    if (error instanceof HistoryError) return undefined
    throw error
  }
}

type Found = Pick<WaitingEffect, 'effect' | 'says'>

function effectOn(review: ListedReview, before: Moment, after: Moment): Found | undefined {
  const [was, is] = [obstacleTo(review, before), obstacleTo(review, after)]
  if (is !== undefined)
    return was === undefined ? { effect: 'blocked', says: `It cannot run any more: ${is}.` } : undefined
  if (was !== undefined) return { effect: 'freed', says: `It can run again. Today it cannot: ${was}.` }
  const lost = lostApprovals(review, before, after)
  if (lost.length > 0)
    return {
      effect: 'approval-void',
      says: `The approval of ${lost.join(', ')} no longer counts, so it waits for another approval.`,
    }
  if (hasApprover(review, before) && !hasApprover(review, after))
    return {
      effect: 'no-approver',
      says: 'No user of this gateway can approve it any more. Unless somebody can again, it expires.',
    }
  return keptRule(review, before, after)
}

/** Names the connections that would run commands elsewhere or as something else. */
function movedConnections(before: GatewaySettings, after: GatewaySettings): ReadonlySet<string> {
  const targets = new Map(before.connections.map((one) => [one.name, targetOf(one)]))
  const moved = after.connections.filter((one) => targets.get(one.name)?.equals(targetOf(one)) === false)
  return new Set(moved.map(({ name }) => name))
}

function effectOnPair(
  history: History,
  { sessionId, connection }: ListedReview,
  moved: ReadonlySet<string>,
): Found | undefined {
  if (!moved.has(connection) || history.session(sessionId)?.labels[FIRST_TARGET_LABEL] === undefined)
    return undefined
  const says = `It cannot run any more: a dry run on connection ${connection} does not count for its new settings.`
  return { effect: 'blocked', says }
}

/** Says why the request cannot run. */
function obstacleTo(review: ListedReview, { users, settings }: Moment): string | undefined {
  const { owner, ownerIdentity, connection: name, type, runbook } = review
  const obstacle = users.obstacleOf(owner, ownerIdentity)
  if (obstacle !== undefined) return `${owner} ${obstacle}`
  const user = users.named(owner)
  const names = [...new Set([name, ...(review.batch?.waves.flat() ?? [])])]
  for (const one of names) {
    const connection = user && users.connection(user, one)
    if (connection === undefined) {
      const isThere = settings.connections.some((other) => other.name === one)
      return isThere ? `${owner} has no access to connection ${one}` : `connection ${one} does not exist`
    }
    const use = type === 'jit' ? 'connect' : runbook === undefined ? 'exec' : 'runbooks'
    if (!connection.access[use]) return `${USES[use]} are off on connection ${one}`
    const { clientArgs, envVars } = review.shown
    if (use === 'runbooks' && clientArgs.length + envVars.length > 0 && !connection.access.clientInput)
      return `connection ${one} does not accept arguments and variables`
  }
  return undefined
}

const USES = { connect: 'terminals', exec: 'scripts', runbooks: 'runbooks' } as const

/** Names the users whose approval would no longer count. */
function lostApprovals(review: ListedReview, before: Moment, after: Moment): string[] {
  const approved = ({ users }: Moment) =>
    standing(review, countsOf(users)).groups.filter(({ status }) => status === 'APPROVED')
  const left = approved(after).map(({ id }) => id)
  const lost = approved(before).filter(({ id }) => !left.includes(id))
  return [...new Set(lost.map(({ reviewedBy = '' }) => reviewedBy))]
}

/** Tells whether each open need has enough people for it. An account that has never signed in is unknown. */
function hasApprover(review: ListedReview, { users, settings }: Moment): boolean {
  if (review.status !== 'PENDING' || settings.signIn?.oidc !== undefined) return true
  const people = users.all.filter(
    (user) =>
      user.isActive &&
      user.kind === 'person' &&
      !users.onlyReads(user) &&
      (review.selfApproval || user.name !== review.owner),
  )
  if (people.some(({ groups }) => common(groups, review.forceGroups).length > 0)) return true
  return missingApprovals(review).every(
    ({ groups, minimum }) =>
      groups.filter((group) => people.some((user) => user.groups.includes(group))).length >= minimum,
  )
}

/** A request keeps the rule with which it was asked, also if the connection has another rule later. */
function keptRule(review: ListedReview, before: Moment, after: Moment): Found | undefined {
  if (review.batch !== undefined) return undefined
  const [was, is] = [ruleOf(review, before), ruleOf(review, after)]
  if (ruleText(was) === ruleText(is)) return undefined
  const now = is === undefined ? 'need no approval' : `need ${ruleText(is)}`
  return {
    effect: 'keeps-rule',
    says: `It keeps the rule of its time. New requests like it ${now}.`,
  }
}

function ruleOf(review: ListedReview, { users, settings }: Moment): ReviewSettings | undefined {
  const { connection: name, owner, runbook } = review
  const connection = settings.connections.find((one): one is ConnectionSettings => one.name === name)
  if (connection === undefined) return undefined
  const rules = reviewRules(connection, users.named(owner)?.groups ?? [])
  const isFor = ({ path }: (typeof rules)[number]) =>
    path === undefined || (runbook !== undefined && path.isFor(runbook.file))
  return rules.find(isFor)?.rule?.review
}

function ruleText(rule: ReviewSettings | undefined): string {
  return rule === undefined ? '' : `approval by ${groupsText(rule.groups, rule.minimum)}`
}
