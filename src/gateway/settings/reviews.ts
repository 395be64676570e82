import * as v from 'valibot'
import type { Path, Problems } from '../../basics/settings/problems.ts'
import { about, choice, duration, list, map, truth } from '../../basics/settings/shapes.ts'
import { RunbookPattern } from './locks.ts'
import { Count, Name, type PathPattern } from './words.ts'

const groupNames = list(Name, 'group names')

/** Says whether requests need a reason. Nobody is asked for a reason by default. */
export const reasonNeed = v.nullish(choice({ required: 'required', optional: 'optional' }))

const rule = {
  minimum: about('number of groups that have to approve (default: 1)', v.nullish(Count)),
  all: about('whether every group in groups has to approve; excludes minimum', v.nullish(truth, 'false')),
  'force-groups': about(
    'groups of which one member alone may approve or reject a request (force_review)',
    v.nullish(groupNames, []),
  ),
  'skip-groups': about('groups whose members need no approval', v.nullish(groupNames, [])),
  'self-approval': about('whether approvers may approve their own requests', v.nullish(truth, 'false')),
  expires: about(
    'how long a request may wait for a decision and then for its run; after that time the request expires',
    v.nullish(duration('1m', '365d'), '7d'),
  ),
  'access-max-duration': about(
    'maximum duration of an approved access to a terminal',
    v.nullish(duration('1m', '48h'), '48h'),
  ),
}

const groups = about(
  'names of the groups that approve; a group approves when one of its members approves',
  groupNames,
)

export const ReviewShape = map({
  groups: v.pipe(groups, v.minLength(1, 'at least one group is expected')),
  ...rule,
})

/** The rule of some runbooks. If its `groups` is empty, they need no review. */
export const RunbookReviewShape = map({
  path: about(
    'path of the runbooks to which the rule applies; * stands for any characters except a slash, ** for any characters',
    RunbookPattern,
  ),
  groups,
  reason: about(
    'whether requests for these runbooks need a reason: required or optional (default: reason of the connection)',
    reasonNeed,
  ),
  ...rule,
})

export type ReviewShape = v.InferOutput<typeof ReviewShape>
export type RunbookReviewShape = v.InferOutput<typeof RunbookReviewShape>

export interface ReviewSettings {
  /** Has at least one group. */
  readonly groups: readonly string[]
  /** How many of the groups have to approve. */
  readonly minimum: number
  readonly forceGroups: readonly string[]
  readonly skipGroups: readonly string[]
  readonly selfApproval: boolean
  readonly expiresMs: number
  /** Longest approved access to a terminal. */
  readonly accessMaxMs: number
}

/** A rule for runbooks. The first rule whose path matches is used instead of the connection's own rule. */
export interface RunbookReview {
  readonly path: PathPattern
  /** Undefined if no approval is needed. */
  readonly review: ReviewSettings | undefined
  readonly reason?: ReasonSetting
}

/** `required`: a request without a reason is refused. `optional`: people are asked for a reason. */
export type ReasonSetting = 'required' | 'optional'

/** Groups that users may have. Undefined if a sign-in provider defines them: any group is possible then. */
export type KnownGroups = ReadonlySet<string> | undefined

type Rule = ReviewShape | RunbookReviewShape

/** Checks and builds a rule. A group without users is refused, because it could never approve. */
export function buildReview(shape: Rule, known: KnownGroups, problems: Problems, path: Path): ReviewSettings {
  const { groups, minimum, all } = shape
  for (const list of ['groups', 'force-groups', 'skip-groups'] as const)
    shape[list].forEach((group, at) => {
      if (known?.has(group) === false)
        problems.add([...path, list, at], 'no user is in this group: a group of users[].groups is expected')
    })
  if (new Set(groups).size < groups.length) problems.add([...path, 'groups'], 'a group is listed twice')
  if (all && minimum !== undefined && minimum !== null)
    problems.add(
      [...path, 'minimum'],
      'minimum contradicts all: true, which means that all groups have to approve; leave out minimum or all',
    )
  if ((minimum ?? 1) > groups.length)
    problems.add(
      [...path, 'minimum'],
      `a number of at most ${groups.length} is expected, the number of groups in this rule`,
    )
  return {
    groups,
    minimum: all ? groups.length : (minimum ?? 1),
    forceGroups: shape['force-groups'],
    skipGroups: shape['skip-groups'],
    selfApproval: shape['self-approval'],
    expiresMs: shape.expires,
    accessMaxMs: shape['access-max-duration'],
  }
}

export function buildRunbookReviews(
  shapes: readonly RunbookReviewShape[],
  known: KnownGroups,
  problems: Problems,
  path: Path,
): RunbookReview[] {
  return shapes.map((shape, at) => ({
    path: shape.path,
    review: shape.groups.length === 0 ? undefined : buildReview(shape, known, problems, [...path, at]),
    ...(shape.reason && { reason: shape.reason }),
  }))
}
