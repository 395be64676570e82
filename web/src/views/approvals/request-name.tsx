import type { Review } from '../../api/types.ts'
import { reviewedName } from '../../parts/called.ts'
import { visible } from '../../parts/visible.ts'
import { NOT_RECORDED } from '../runbooks/recorded.ts'

type Named = Pick<Review, 'runbook' | 'summary' | 'type'>

/** Returns the runbook's name, or the first line of a script, or `Terminal`. */
function requestName({ runbook, summary, type }: Named): string {
  const name = reviewedName({ runbook }) ?? summary?.first_line
  if (name !== undefined && name !== '') return name
  return type === 'jit' ? 'Terminal' : 'Script'
}

/** Returns the name and the values of a request in one line, for titles and messages. */
export function requestText(review: Named): string {
  return visible([requestName(review), ...valuesOf(review).map(({ value }) => value)].join(' '))
}

function valuesOf({ summary }: Named) {
  return (summary?.values ?? []).filter(({ value }) => value !== '' && value !== NOT_RECORDED)
}

interface RequestNameProps {
  readonly review: Named
  /** Whether values have the names of their parameters, for people who cannot see them elsewhere. */
  readonly hasNames?: boolean
}

/** Shows what a request asks for: the name of its runbook and its values, or the first line of its script. */
export function RequestName({ review, hasNames = false }: RequestNameProps) {
  const name = requestName(review)
  const { first_line: line, more_values: more = 0 } = review.summary ?? {}
  const isScript = review.runbook === undefined && line === name
  return (
    <>
      {isScript ? <code>{visible(name)}</code> : <bdi>{visible(name)}</bdi>}
      {valuesOf(review).map(({ name: parameter, value }) => (
        <span key={parameter}>
          {' '}
          <bdi class="value" title={visible(`${parameter}: ${value}`)}>
            {hasNames && <span class="value-name">{visible(parameter)} </span>}
            {visible(value)}
          </bdi>
        </span>
      ))}
      {more > 0 && <span class="soft small"> and {more} more</span>}
    </>
  )
}
