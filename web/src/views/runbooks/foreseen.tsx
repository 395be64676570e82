import { useEffect, useState } from 'preact/hooks'
import { ask } from '../../api/request.ts'
import type { Foreseen } from '../../api/types.ts'
import { Note } from '../../parts/messages.tsx'
import { ExactMoment } from '../../parts/moment.tsx'
import { Name } from '../../parts/text.tsx'
import { WhomToAsk } from '../approvals/deciders.tsx'
import { ruleText } from '../approvals/rule-text.ts'
import { visible } from '../../parts/visible.ts'

/** Returns the gateway's forecast for these connections. The list is empty before the answer. */
export function useForeseen(
  repository: string,
  file: string,
  connections: readonly string[],
): readonly Foreseen[] {
  const [answers, setAnswers] = useState<readonly Foreseen[]>([])
  const names = JSON.stringify(connections.slice(0, 500))
  useEffect(() => {
    const ended = new AbortController()
    const body = { repository, file_name: file, connections: JSON.parse(names) as string[] }
    if (body.connections.length === 0) setAnswers([])
    else
      ask<Foreseen[]>('POST', '/api/runbooks/foresee', { body, signal: ended.signal }).then(
        setAnswers,
        // Ignores the error. The gateway refuses the run itself for the same reason, and the page then shows
        // that refusal.
        () => setAnswers([]),
      )
    return () => ended.abort()
  }, [repository, file, names])
  return answers
}

/**
 * Returns what people have to type before the run: the name of the connection, or the number of connections.
 * Undefined if the settings require nothing.
 */
export function textToConfirm(answers: readonly Foreseen[], on: readonly string[]): string | undefined {
  if (!answers.some(({ confirm }) => confirm)) return undefined
  return on.length === 1 ? on[0] : String(on.length)
}

/** Returns whether a run on all of these connections needs a reason. */
export function reasonNeed(answers: readonly Foreseen[]): Foreseen['reason'] {
  const needs = answers.map(({ reason }) => reason)
  if (needs.includes('required')) return 'required'
  return needs.includes('optional') ? 'optional' : null
}

/** Shows which approvals and locks the run will need. */
export function ForeseenNotes({ answers }: { readonly answers: readonly Foreseen[] }) {
  const reviews = reviewsOf(answers)
  const unreviewed = answers.flatMap(({ connection, review }) =>
    review === null || review.unreviewed === '' ? [] : [{ connection, text: review.unreviewed }],
  )
  const locks = new Map(answers.flatMap(({ locks }) => locks.map((lock) => [lock.name, lock] as const)))
  return (
    <>
      {reviews.map(([need, review]) => (
        <Note key={need} tone="wait" title={`Needs approval by ${need}`}>
          <WhomToAsk {...review} />
          <p>The approver sees exactly this script. You can close the page while you wait.</p>
        </Note>
      ))}
      {unreviewed.map(({ connection, text }) => (
        <Note key={connection} tone="wait">
          <p>
            On <Name>{connection}</Name>, {visible(text)}.
          </p>
        </Note>
      ))}
      {[...locks.values()].map(({ name, holder, waiting }) => (
        <Note key={name} tone={holder === null ? 'live' : 'wait'}>
          <p>
            This run takes the lock <Name>{name}</Name>. Only one run at a time can hold a lock
            {holder === null ? (
              '. The lock is free now.'
            ) : (
              <>
                . <Name>{holder.user}</Name> has held the lock since <ExactMoment at={holder.since} />
                {waiting > 0 && `, and ${waiting} ${waiting === 1 ? 'run waits' : 'runs wait'} for the lock`}.
              </>
            )}
          </p>
        </Note>
      ))}
    </>
  )
}

type ForeseenReview = NonNullable<Foreseen['review']>

/** The reviews that differ in their words, each once. */
function reviewsOf(answers: readonly Foreseen[]): (readonly [string, ForeseenReview])[] {
  return [
    ...new Map(answers.flatMap(({ review }) => (review === null ? [] : [[ruleText([review]), review]]))),
  ]
}
