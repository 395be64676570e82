import type { ReviewAnswer } from '../../contract/reviews.ts'
import type { History } from '../history/history.ts'
import { timeOf, type GatewayUser } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import type { SessionRequest } from '../sessions/session-request.ts'
import { effectOfApproval, missingApprovals, needsOf, possibleDecisions } from './decision.ts'
import { approvedAtOf, newReview, type ListedReview, type ShownRequest } from './review.ts'
import type { EndedRun } from './fact-rows.ts'
import type { Reviews } from './reviews.ts'
import type { ReviewRule } from './rules.ts'

type Facts = Pick<ReviewAnswer, 'summary' | 'brings_input' | 'facts' | 'rule' | 'missing' | 'your_approval'>
type Deciders = Pick<ReviewAnswer, 'approvers' | 'usual_wait'>
type FactsOfOne = Deciders & Pick<ReviewAnswer, 'outcomes' | 'marks'>

/** Maximum number of names of one group. */
const MAX_NAMES = 10
/** Numbers of decided requests from which the usual time follows. */
const MIN_DECIDED = 3
const MAX_DECIDED = 20
/** Maximum number of waiting requests of one list for which the last approved run is looked up. */
const MAX_LOOKED_UP = 200

interface PreviousRun {
  readonly review: ListedReview
  /** False if the user may not see a later run. */
  readonly isLast: boolean
}

const NOTHING: ShownRequest = { scriptDigest: { kind: 'sha256', hex: '' }, clientArgs: [], envVars: [] }

interface FactServices {
  readonly reviews: Reviews
  readonly history: History
  readonly users: Users
}

/** Finds the facts that help to decide on a review. Each is what the gateway itself decides by, or has recorded. */
export class ReviewFacts {
  readonly #services: FactServices

  constructor({ reviews, history, users }: FactServices) {
    this.#services = { reviews, history, users }
  }

  /** Returns the last run of the same runbook, among the reviews that the user may see. */
  previous(user: GatewayUser, { id, runbook }: ListedReview): PreviousRun | undefined {
    if (runbook === undefined) return undefined
    return this.#services.history.read(({ reviews }) => {
      let isLast = true
      for (const review of reviews.sameRunbook(id)) {
        if (this.#services.reviews.isConcerned(user, review)) return { review, isLast }
        isLast = false
      }
      return undefined
    })
  }

  /** Returns a function for the reviews of one answer, which bounds the work for all of them. */
  ofList(user: GatewayUser): (review: ListedReview) => Facts {
    const reviewer = this.#services.reviews.reviewer(user)
    let left = MAX_LOOKED_UP
    return (review) => {
      const effect = effectOfApproval(review, reviewer, this.#services.history.clock.latest)
      const { bringsInput } = review.shown
      const isLookedUp = review.status === 'PENDING' && review.runbook !== undefined && left-- > 0
      return {
        ...summaryView(review),
        ...(bringsInput !== undefined && { brings_input: bringsInput }),
        facts: { ...storedFacts(review), ...(isLookedUp && this.#factsOfPrevious(user, review)) },
        rule: needsOf(review),
        missing: missingApprovals(review),
        ...(effect !== undefined && { your_approval: effect }),
      }
    }
  }

  ofOne(user: GatewayUser, review: ListedReview): FactsOfOne {
    const { marks } = review.shown
    return {
      outcomes: this.#outcomes(user, review),
      ...(marks !== undefined && { marks }),
      ...(review.status === 'PENDING' && this.#deciders(review)),
    }
  }

  /**
   * Returns a function for requests of one user that are not made yet, which looks up the deciders once for each
   * rule: a batch may have hundreds of connections.
   */
  decidersBefore(): (request: SessionRequest, rule: ReviewRule) => Deciders {
    const known = new Map<string, Deciders>()
    return (request, rule) => {
      const { groups, minimum, forceGroups, selfApproval } = rule.review
      const key = JSON.stringify([groups, minimum, forceGroups, selfApproval])
      const asked = {
        request,
        rule,
        asker: undefined,
        accessMs: 0,
        sid: '',
        shown: NOTHING,
        batch: undefined,
      }
      const deciders = known.get(key) ?? this.#deciders(newReview(asked))
      known.set(key, deciders)
      return deciders
    }
  }

  #deciders(review: ListedReview): Deciders {
    const wait = this.#usualWait(review)
    return { approvers: this.#approvers(review), ...(wait !== undefined && { usual_wait: wait }) }
  }

  /** Counts every run, because a fact beside a decision must not depend on who reads it. Only the ids do. */
  #outcomes(user: GatewayUser, { owner, runbook, sessionId }: ListedReview): FactsOfOne['outcomes'] {
    const { history, reviews } = this.#services
    const found = history.read(({ reviews: { facts } }) => ({
      requester: facts.endsOfUser(owner, sessionId),
      runbook: runbook === undefined ? undefined : facts.endsOfRunbook(runbook.file, sessionId),
    }))
    const shown = ({ id, outcome, ranMs }: EndedRun) => {
      const session = history.session(id)
      return {
        outcome,
        ...(ranMs !== undefined && { ran_ms: ranMs }),
        ...(session !== undefined && reviews.showsSession(user, session) && { session: id }),
      }
    }
    return {
      requester: found.requester.map(shown),
      ...(found.runbook !== undefined && { runbook: found.runbook.map(shown) }),
    }
  }

  #factsOfPrevious(user: GatewayUser, review: ListedReview): Facts['facts'] {
    const previous = this.previous(user, review)
    if (previous === undefined) return {}
    const { review: before, isLast } = previous
    const [was, is] = [before.shown.runbookSha256, review.shown.runbookSha256]
    return {
      previous: {
        ...{ session: before.sessionId, owner: before.owner, ran_at: timeOf(before.claimedAt) },
        is_last: isLast,
      },
      ...(was !== undefined && is !== undefined && { is_runbook_changed: was !== is }),
    }
  }

  /** Asks the rules of the decision about each user, so that nobody is named whose decision would be refused. */
  #approvers(review: ListedReview): NonNullable<FactsOfOne['approvers']> {
    const { users, reviews, history } = this.#services
    const able = users.all
      .filter(({ isActive }) => isActive)
      .map((user) => ({ user, can: possibleDecisions(review, reviews.reviewer(user), history.clock.latest) }))
    const named = (group: string, which: 'approve' | 'force') => {
      const names = able
        .filter(({ user, can }) => can[which] && user.groups.includes(group))
        .map(({ user }) => user.name)
        .sort()
      return { group, names: names.slice(0, MAX_NAMES), others: Math.max(0, names.length - MAX_NAMES) }
    }
    const waiting = review.groups.filter(({ status }) => status === 'PENDING')
    return [
      ...waiting.map(({ group }) => named(group, 'approve')),
      ...review.forceGroups.map((group) => ({ ...named(group, 'force'), can_force: true as const })),
    ]
  }

  #usualWait({ groups }: ListedReview): FactsOfOne['usual_wait'] {
    const asked = groups.map(({ group }) => group)
    const decided = this.#services.history.read(({ reviews }) => reviews.facts.decided(asked))
    const waits = decided
      .flatMap((review) => waitOf(review) ?? [])
      .slice(0, MAX_DECIDED)
      .toSorted((a, b) => a - b)
    const middle = waits[Math.floor((waits.length - 1) / 2)]
    if (middle === undefined || waits.length < MIN_DECIDED) return undefined
    return { seconds: Math.round(middle / 1000), requests: waits.length }
  }
}

/** Returns the time from the request to its decision in ms; undefined if nobody has decided. */
function waitOf(review: ListedReview): number | undefined {
  const rejectedAt = review.groups.find(({ status }) => status === 'REJECTED')?.reviewedAt
  const decidedAt = review.status === 'REJECTED' ? rejectedAt : approvedAtOf(review)
  return decidedAt === undefined ? undefined : Math.max(0, decidedAt - review.createdAt)
}

function summaryView({ shown: { summary } }: ListedReview): Pick<Facts, 'summary'> {
  if (summary === undefined) return {}
  const { values, more, firstLine, lines } = summary
  return {
    summary: {
      ...(values !== undefined && { values }),
      ...(more !== undefined && { more_values: more }),
      ...(firstLine !== undefined && { first_line: firstLine }),
      ...(lines !== undefined && { lines }),
    },
  }
}

function storedFacts({ shown: { facts = {} } }: ListedReview): Facts['facts'] {
  const { isFirst, newConnections } = facts
  return {
    ...(isFirst !== undefined && { is_first_by_requester: isFirst }),
    ...(newConnections !== undefined && { new_connections: newConnections }),
  }
}
