import type { Review } from '../../api/types.ts'
import { visible } from '../../parts/visible.ts'

type Need = Review['rule'][number]

/** Returns the groups of a rule in short: `dba or leads`, `dba and leads`, `2 of dba, sre, leads`. */
export function groupsText(rule: readonly Need[]): string {
  return essential(rule).map(shortText).join('; and ')
}

/** Leaves out what another need brings with it: an approval of dba is one of dba or leads, too. */
function essential(rule: readonly Need[]): readonly Need[] {
  return rule.filter(
    (need, at) =>
      !rule.some(
        (other, index) => index !== at && brings(other, need) && (!brings(need, other) || index < at),
      ),
  )
}

/** Whether any approvals that are enough for one need are enough for the other. */
function brings(one: Need, other: Need): boolean {
  const elsewhere = one.groups.filter((group) => !other.groups.includes(group))
  return one.minimum - elsewhere.length >= other.minimum
}

function shortText({ groups, minimum }: Need): string {
  const names = groups.map(visible)
  if (minimum >= names.length) return names.join(' and ')
  return minimum === 1 ? names.join(' or ') : `${minimum} of ${names.join(', ')}`
}

/** Returns a rule as a sentence without its end: `1 of dba, leads`, or `dba`. */
export function ruleText(rule: readonly Need[]): string {
  return essential(rule)
    .map(({ groups, minimum }) => {
      const names = groups.map(visible)
      return names.length === 1 ? names.join('') : `${minimum} of ${names.join(', ')}`
    })
    .join(', and ')
}

/** Says what an approval of this person does; undefined if they cannot approve. */
export function effectText(review: Review): string | undefined {
  const { your_approval: effect } = review
  if (effect === undefined) return undefined
  const after =
    effect.missing.length > 0 ? `then ${ruleText(effect.missing)} still decide` : approvedText(review)
  return `You decide for ${effect.groups.map(visible).join(' and ')}: ${after}.`
}

/** Says what happens with an approved request. */
function approvedText({ type, when_approved: runs, batch, connection, owner, time_window: window }: Review) {
  const place =
    batch === undefined
      ? visible(connection)
      : `${batch.connections} ${batch.connections === 1 ? 'connection' : 'connections'}`
  if (type === 'jit') return `${visible(owner)} can then open terminals on ${place}`
  if (runs !== true) return `${visible(owner)} can then run it on ${place}`
  return window === null
    ? `it then runs at once on ${place}`
    : `it then runs on ${place} when its hours begin`
}
