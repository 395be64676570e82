import type { ComponentChildren } from 'preact'
import { adviceFor } from '../api/advice.ts'
import type { Refused } from '../api/request.ts'
import { visibleLines } from './visible.ts'

/** What happened, and what to do. */
export function Problem({ error, onRetry }: { readonly error: Refused; readonly onRetry?: () => void }) {
  return (
    <div class="problem" role="alert">
      <p class="problem-text" dir="auto">
        {visibleLines(error.message)}
      </p>
      <p>{adviceFor(error.code, error.status)}</p>
      {error.refusals.length > 0 && (
        <ul>
          {error.refusals.map(({ connection, message }) => (
            <li key={connection}>
              <bdi>{visibleLines(connection)}</bdi>: <bdi>{visibleLines(message)}</bdi>
            </li>
          ))}
        </ul>
      )}
      {onRetry !== undefined && <button onClick={onRetry}>Try again</button>}
    </div>
  )
}

/** Nothing is there yet: what to do next. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}

export function Loading() {
  return (
    <p class="loading" role="status">
      Loading …
    </p>
  )
}
