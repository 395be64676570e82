import { person } from '../api/person.ts'
import type { RunbookItem } from '../api/types.ts'
import type { Values } from './parameters.ts'

// Stores the form of a runbook in this tab, so that it survives a reload, the back button and the end of a
// sign-in. Secrets are never stored, and another user who signs in here does not get the values.

/** Maximum length of a stored draft, because the browser's storage has only some megabytes. */
const MAX_CHARACTERS = 64 * 1024
/**
 * Matches names that may be secret. The gateway has better rules. Here a wrong match only means that the user
 * must type the value again.
 */
const SOUNDS_SECRET = /pass|secret|token|key|credential|pin\b|otp/i

export interface KeptDraft {
  readonly values: Values
  readonly connection: string
}

function keyOf(repository: string, file: string): string {
  return JSON.stringify(['draft', person.peek()?.name ?? '', repository, file])
}

export function keptDraft(repository: string, file: string): KeptDraft | undefined {
  try {
    const text = sessionStorage.getItem(keyOf(repository, file))
    return text === null ? undefined : (JSON.parse(text) as KeptDraft)
  } catch {
    return undefined
  }
}

export function keepDraft(repository: string, item: RunbookItem, draft: KeptDraft): void {
  const values = Object.fromEntries(
    Object.entries(draft.values).filter(([name]) => !mayBeSecret(name, item.metadata[name])),
  )
  const text = JSON.stringify({ ...draft, values })
  try {
    if (text.length <= MAX_CHARACTERS) sessionStorage.setItem(keyOf(repository, item.name), text)
  } catch {
    // If storage is not available, only the draft is lost.
  }
}

export function forgetDraft(repository: string, file: string): void {
  try {
    sessionStorage.removeItem(keyOf(repository, file))
  } catch {
    // If storage is not available, there is no draft.
  }
}

/** Whether a value is kept out of drafts and links. */
function mayBeSecret(name: string, declared: Readonly<Record<string, unknown>> | undefined): boolean {
  const { type, asenv } = declared ?? {}
  return (
    type === 'password' ||
    type === 'file' ||
    SOUNDS_SECRET.test(name) ||
    (typeof asenv === 'string' && SOUNDS_SECRET.test(asenv))
  )
}

/** Reads `?p.order=10293` of a link. Ignores secret values, because other people read links. */
export function linkedValues(query: URLSearchParams, item: RunbookItem): Values {
  const given = [...query].filter(([name]) => name.startsWith('p.'))
  return Object.fromEntries(
    given
      .map(([name, value]) => [name.slice(2), value] as const)
      .filter(([name]) => !mayBeSecret(name, item.metadata[name])),
  )
}

/** Maximum length of a value in a link, because browsers and proxies cut long addresses. */
const MAX_LINK_CHARACTERS = 2000

/** Returns the query of a link for `linkedValues`. */
export function linkQuery(item: RunbookItem, { values, connection }: KeptDraft): string {
  const told = Object.entries(values).filter(
    ([name, value]) =>
      value !== '' && value.length <= MAX_LINK_CHARACTERS && !mayBeSecret(name, item.metadata[name]),
  )
  const query = new URLSearchParams(told.map(([name, value]) => [`p.${name}`, value]))
  if (connection !== '') query.set('connection', connection)
  return query.toString()
}
