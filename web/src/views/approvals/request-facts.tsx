import type { Review } from '../../api/types.ts'
import { daysAgoText } from '../../parts/moment.tsx'
import { Icon, type IconName } from '../../parts/icon.tsx'
import { machineText } from '../../parts/called.ts'
import { visible } from '../../parts/visible.ts'

type Fact = readonly [icon: IconName, text: string]

/** Shows facts from the history. They are no score, so none has a colour. */
export function RequestFacts({ review }: { readonly review: Review }) {
  const facts = factsOf(review)
  if (facts.length === 0) return null
  return (
    <span class="request-facts">
      {facts.map(([icon, text]) => (
        <span key={text}>
          <Icon name={icon} small />
          {text}
        </span>
      ))}
    </span>
  )
}

function factsOf(review: Review, present = new Date()): readonly Fact[] {
  return [...machine(review), ...reasons(review), ...firstTimes(review), ...sincePrevious(review, present)]
}

function* machine({ machine: by }: Review): Generator<Fact> {
  if (by !== undefined) yield ['terminal', `asked by a machine: ${visible(machineText(by))}`]
}

function* reasons({ reason }: Review): Generator<Fact> {
  if (reason !== undefined) yield ['info', `“${visible(reason)}”`]
}

function* firstTimes({ facts, owner, runbook, type, batch, connection }: Review): Generator<Fact> {
  const { is_first_by_requester: isFirst, new_connections: added = 0 } = facts
  if (isFirst === true) {
    if (runbook !== undefined) yield ['user', `first run by ${visible(owner)}`]
    else
      yield ['user', `first ${type === 'jit' ? 'terminal' : 'script'} by ${visible(owner)} on the connection`]
  }
  if (added === 0) return
  yield [
    'plug',
    batch === undefined
      ? `first run on ${visible(connection)}`
      : `first run on ${added} of ${batch.connections} connections`,
  ]
}

function* sincePrevious({ facts, runbook, status }: Review, present: Date): Generator<Fact> {
  const { previous, is_runbook_changed: isChanged } = facts
  if (runbook === undefined || status !== 'PENDING') return
  if (previous === undefined) {
    yield ['diff', 'no approved run before']
    return
  }
  const { ran_at: at } = previous
  const run = `the approved run${at === null ? ' before' : `, ${daysAgoText(new Date(at), present)}`}`
  if (isChanged === undefined) yield ['again', `compared with ${run}`]
  else if (isChanged) yield ['diff', `runbook changed since ${run}`]
  else yield ['check', `runbook as in ${run}`]
}
