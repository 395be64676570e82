import * as v from 'valibot'
import type { ReviewSettings } from '../../gateway/settings/reviews.ts'
import type { ConnectionSettings } from '../../gateway/settings/settings.ts'
import {
  type Resource,
  type Migration,
  type MigrationStep,
  idOf,
  resourceNamed,
  inNameOrder,
  joinedNames,
} from './step.ts'
import { storedStep } from './stored.ts'

interface WantedMasking {
  readonly rule: Resource
  readonly connections: string[]
}

const Rules = v.array(
  v.object({
    name: v.string(),
    supported_entity_types: v.unknown(),
    score_threshold: v.unknown(),
    custom_entity_types: v.unknown(),
  }),
)

/** These steps run after the steps for connections, because a masking rule names connections by id. */
export function maskingRuleSteps(migration: Migration): MigrationStep[] {
  return [...wantedMasking(migration.carried.connections)].map(([name, wanted]) =>
    ruleStep(name, wanted, migration),
  )
}

/** Returns whether hoop already applies all masking rules of the connection. */
export function isMasked(connection: ConnectionSettings, { present, ids }: Migration): boolean {
  const id = ids.get('connection', connection.name)
  return [...wantedMasking([connection]).keys()].every((name) => {
    const masked = inNameOrder(resourceNamed(present.masking, name)?.['connection_ids'])
    return id !== undefined && masked.includes(id)
  })
}

/** Returns the masking rules in the form of hoop's interface. */
function wantedMasking(connections: readonly ConnectionSettings[]): Map<string, WantedMasking> {
  const wanted = new Map<string, WantedMasking>()
  for (const { name: connection, masking } of connections) {
    const told = masking?.dataMaskingEntityTypesData
    const rules = told ? v.parse(Rules, JSON.parse(Buffer.from(told).toString())) : []
    for (const rule of rules) {
      const one: WantedMasking = wanted.get(rule.name) ?? { rule, connections: [] }
      one.connections.push(connection)
      wanted.set(rule.name, one)
    }
  }
  return wanted
}

function ruleStep(name: string, { rule, connections }: WantedMasking, migration: Migration): MigrationStep {
  const { ids } = migration
  const found = resourceNamed(migration.present.masking, name)
  const has = inNameOrder(found?.['connection_ids'])
  const idsOf = () => connections.map((one) => ids.get('connection', one) ?? one)
  const present = found && { ...found, connection_ids: has }
  const wanted = { kind: 'masking rule', path: '/api/datamasking-rules', key: idOf(found) } as const
  const whole = () => ({ connection_ids: [...new Set([...has, ...idsOf()])].toSorted() })
  return storedStep({ ...wanted, name, present, body: { ...rule, ...whole() }, beside: whole }, migration)
}

const PATH = '/api/access-requests/rules'

interface WantedReview {
  readonly name: string
  readonly body: Resource
  readonly connections: string[]
}

/**
 * These steps run before the steps for connections, so that no connection is open without its review for a
 * moment. Connections with the same review share one rule.
 */
export function reviewRuleSteps(migration: Migration): MigrationStep[] {
  return wantedReviews(migration.carried.connections).map(({ name, body, connections }) => {
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

function wantedReviews(connections: readonly ConnectionSettings[]): WantedReview[] {
  const rules = new Map<string, WantedReview>()
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

/** Makes a name from the groups, and adds a number if another rule has this name. */
function freeName({ groups }: ReviewSettings, rules: ReadonlyMap<string, WantedReview>): string {
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
