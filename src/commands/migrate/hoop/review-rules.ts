import type { Resource } from '../../../client/rest/resources.ts'
import type { ReviewSettings } from '../../../gateway/settings/reviews.ts'
import type { ConnectionSettings } from '../../../gateway/settings/settings.ts'
import { resourceNamed, inNameOrder, joinedNames } from './differences.ts'
import type { Migration, MigrationStep } from './step.ts'
import { storedStep } from './stored.ts'

const PATH = '/api/access-requests/rules'

interface WantedRule {
  readonly name: string
  readonly body: Resource
  readonly connections: string[]
}

/**
 * One rule for all connections whose reviews are alike. They are written before the connections, so that none of them
 * is open without its review for a moment.
 */
export function reviewRuleSteps(migration: Migration): MigrationStep[] {
  return wantedRules(migration.carried.connections).map(({ name, body, connections }) => {
    const present = resourceNamed(migration.present.reviewRules, name)
    const listed = present?.['connection_names']
    const whole = {
      ...(present === undefined && { attributes: [], approval_required_groups: [] }),
      ...body,
      connection_names: joinedNames(listed, connections),
    }
    const sorted = present && { ...present, ...sortedGroups(present), connection_names: inNameOrder(listed) }
    return storedStep(
      { kind: 'review rule', path: PATH, key: name, name, present: sorted, body: whole },
      migration,
    )
  })
}

function wantedRules(connections: readonly ConnectionSettings[]): WantedRule[] {
  const rules = new Map<string, WantedRule>()
  for (const { name, review } of connections) {
    if (review === undefined) continue
    const body = ruleJson(review)
    const key = JSON.stringify(body)
    const rule = rules.get(key) ?? { name: freeName(review, rules), body, connections: [] }
    rule.connections.push(name)
    rules.set(key, rule)
  }
  return [...rules.values()].map((rule) => ({ ...rule, body: { name: rule.name, ...rule.body } }))
}

/** A name from the groups, with a number where another rule has the same. */
function freeName({ groups }: ReviewSettings, rules: ReadonlyMap<string, WantedRule>): string {
  const base = `review-${groups.toSorted().join('-')}`.slice(0, 200)
  const taken = new Set([...rules.values()].map(({ name }) => name))
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}-${number}`
    if (!taken.has(name)) return name
  }
}

function ruleJson(review: ReviewSettings): Resource {
  return {
    access_type: 'jit_command',
    reviewers_groups: review.groups.toSorted(),
    all_groups_must_approve: false,
    min_approvals: review.minimum,
    force_approval_groups: review.forceGroups.toSorted(),
    skip_review_groups: review.skipGroups.length === 0 ? null : review.skipGroups.toSorted(),
    access_max_duration: Math.floor(review.accessMaxMs / 1000),
  }
}

function sortedGroups(rule: Resource): Resource {
  const lists = ['reviewers_groups', 'force_approval_groups', 'skip_review_groups']
  return Object.fromEntries(lists.map((list) => [list, inNameOrder(rule[list])]))
}
