import type { ReviewRule } from '../reviews/rules.ts'

/**
 * Combines the rules of all connections. The batch needs the approvals of every rule. Only groups that may
 * force every rule may force the batch. What one rule forbids is forbidden.
 */
export function commonRule(rules: readonly ReviewRule[]): ReviewRule | undefined {
  const [first] = rules
  if (first === undefined) return undefined
  const reviews = rules.map(({ review }) => review)
  const needs = distinct(reviews.map(({ groups, minimum }) => ({ groups: groups.toSorted(), minimum })))
  const groups = [...new Set(needs.flatMap((need) => need.groups))]
  const isSamePath = rules.every(({ path }) => path === first.path)
  return {
    review: {
      groups,
      minimum: Math.max(...needs.map((need) => Math.min(need.minimum, need.groups.length))),
      forceGroups: reviews
        .map(({ forceGroups }) => forceGroups)
        .reduce((some, others) => some.filter((group) => others.includes(group))),
      skipGroups: [],
      selfApproval: reviews.every(({ selfApproval }) => selfApproval),
      expiresMs: Math.min(...reviews.map(({ expiresMs }) => expiresMs)),
      // A batch opens no terminals.
      accessMaxMs: 0,
    },
    ...(isSamePath && first.path !== undefined && { path: first.path }),
    needs,
  }
}

function distinct<Value>(values: readonly Value[]): Value[] {
  const found = new Map(values.map((value) => [JSON.stringify(value), value]))
  return [...found.values()]
}
