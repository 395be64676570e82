import type { Review } from '../../api/types.ts'
import { visible } from '../../parts/visible.ts'

type Need = Review['rule'][number]

/** Returns a rule in words, the same in each view: `1 of dba, leads`, `dba and leads`, `2 of a, b, c; and sre`. */
export function ruleText(rule: readonly Need[]): string {
  return essential(rule).map(needText).join('; and ')
}

function needText({ groups, minimum }: Need): string {
  const names = groups.map(visible)
  if (minimum < names.length) return `${minimum} of ${names.join(', ')}`
  return [names.slice(0, -1).join(', '), ...names.slice(-1)].filter((part) => part !== '').join(' and ')
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
