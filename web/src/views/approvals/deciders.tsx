import { person } from '../../api/person.ts'
import type { Review } from '../../api/types.ts'
import { Name } from '../../parts/text.tsx'

type Deciders = NonNullable<Review['approvers']>[number]

/** Who can decide for a group, the person first. */
export function DeciderNames({
  names,
  others,
  can_force: canForce,
}: Pick<Deciders, 'names' | 'others' | 'can_force'>) {
  if (names.length === 0) return <>nobody can decide for this group now</>
  const mine = person.value?.name
  const sorted = names.toSorted((a, b) => Number(b === mine) - Number(a === mine))
  return (
    <>
      {sorted.map((name, at) => (
        <span key={name}>
          {at > 0 && ', '}
          {name === mine ? 'you' : <Name>{name}</Name>}
        </span>
      ))}
      {others > 0 && ` and ${others} more`}
      {canForce === true && ', alone and by force'}
    </>
  )
}

/** Names the users who can approve, and the usual time until one of them decides. */
export function WhomToAsk({ approvers = [], usual_wait: wait }: Pick<Review, 'approvers' | 'usual_wait'>) {
  return (
    <>
      <ul>
        {approvers.map((one) => (
          <li key={`${one.group} ${one.can_force === true}`}>
            <Name>{one.group}</Name>: <DeciderNames {...one} />
          </li>
        ))}
      </ul>
      {wait !== undefined && <p>{usualWaitText(wait)}</p>}
    </>
  )
}

/** Says how long requests that ask the same groups usually wait. */
export function usualWaitText({ seconds, requests }: NonNullable<Review['usual_wait']>): string {
  return `Such requests usually wait ${durationOf(seconds)}: half of the last ${requests} were decided sooner.`
}

function durationOf(seconds: number): string {
  if (seconds < 60) return 'less than a minute'
  const minutes = Math.round(seconds / 60)
  if (minutes < 120) return `${minutes} min`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`
}
