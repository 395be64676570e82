import type { PathPattern } from './path-pattern.ts'
import type { Path, Problems } from '../../basics/settings/problems.ts'
import type { ReviewShape, RunbookReviewShape } from './shapes/review-shape.ts'
import type { SettingsShape } from './schema.ts'

/** Who has to approve. */
export interface ReviewSettings {
  /** At least one. */
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

/** The first whose path matches a runbook wins over the connection's own. */
export interface RunbookReview {
  readonly path: PathPattern
  /** Undefined: these runbooks need none. */
  readonly review: ReviewSettings | undefined
}

/** Groups that somebody may be in. Undefined: any, since they come from elsewhere. */
export type KnownGroups = ReadonlySet<string> | undefined

export function knownGroups({ users, 'sign-in': signIn }: SettingsShape): KnownGroups {
  const mapped = Object.values(signIn?.oidc?.groups ?? {})
  if (signIn?.oidc && mapped.length === 0) return undefined
  return new Set([...users.flatMap(({ groups }) => groups), ...mapped])
}

type Rule = ReviewShape | RunbookReviewShape

/** Checks the rule against its own groups and those that users have: nobody else could ever approve. */
export function buildReview(shape: Rule, known: KnownGroups, problems: Problems, path: Path): ReviewSettings {
  const { groups, minimum, all } = shape
  for (const list of ['groups', 'force-groups', 'skip-groups'] as const)
    shape[list].forEach((group, at) => {
      if (known?.has(group) === false)
        problems.add([...path, list, at], 'no user is in this group: a group of users[].groups is expected')
    })
  if (new Set(groups).size < groups.length) problems.add([...path, 'groups'], 'a group stands here twice')
  if (all && minimum !== undefined && minimum !== null)
    problems.add([...path, 'minimum'], 'all groups have to approve: one of minimum and all is expected')
  if ((minimum ?? 1) > groups.length)
    problems.add([...path, 'minimum'], `at most the number of groups is expected, here ${groups.length}`)
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
  }))
}
