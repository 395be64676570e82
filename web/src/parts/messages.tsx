import type { ComponentChildren } from 'preact'
import { adviceFor } from '../api/advice.ts'
import type { Refused } from '../api/request.ts'
import { Icon, type IconName } from './icon.tsx'
import { visibleLines } from './visible.ts'

export function Problem({ error, onRetry }: { readonly error: Refused; readonly onRetry?: () => void }) {
  return (
    <div class="note is-bad problem" role="alert">
      <Icon name="alert" />
      <div class="said">
        <strong class="problem-text" dir="auto">
          {visibleLines(error.message)}
        </strong>
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
        {onRetry !== undefined && (
          <p>
            <button class="button is-small" onClick={onRetry}>
              <Icon name="again" small />
              Try again
            </button>
          </p>
        )}
      </div>
    </div>
  )
}

interface NoteProps {
  readonly tone: 'live' | 'good' | 'wait' | 'bad'
  readonly title?: ComponentChildren
  readonly role?: 'status' | 'alert'
  readonly children?: ComponentChildren
}

const NOTE_ICONS = { live: 'info', good: 'check', wait: 'wait', bad: 'alert' } as const

/** Shows a fact that people must know before they continue. */
export function Note({ tone, title, role, children }: NoteProps) {
  return (
    <div class={`note is-${tone}`} role={role}>
      <Icon name={NOTE_ICONS[tone]} />
      <div class="said" dir="auto">
        {title !== undefined && <strong>{title}</strong>}
        {children}
      </div>
    </div>
  )
}

interface EmptyProps {
  readonly icon?: IconName
  /** Says what is missing, or which search has found nothing. */
  readonly title?: ComponentChildren
  /** Advice for the next step. */
  readonly children: ComponentChildren
  /** Buttons and links for the next step. */
  readonly actions?: ComponentChildren
}

export function Empty({ icon = 'info', title, children, actions }: EmptyProps) {
  return (
    <div class="card empty">
      <Icon name={icon} />
      {title !== undefined && <strong>{title}</strong>}
      <p>{children}</p>
      {actions !== undefined && <div class="line">{actions}</div>}
    </div>
  )
}

/** Becomes visible only after 300 ms. A fast answer then does not make the page flash. */
export function Loading({ rows = 3 }: { readonly rows?: number }) {
  return (
    <div class="card loading" aria-busy="true">
      <p class="said-only" role="status">
        Loading …
      </p>
      <div class="card-body">
        {Array.from({ length: rows }, (_, index) => (
          <div class="skeleton" key={index} />
        ))}
      </div>
    </div>
  )
}
