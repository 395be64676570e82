import { useState } from 'preact/hooks'
import { person } from '../../api/person.ts'
import { TextField } from '../../form/text-field.tsx'
import { FormDialog } from '../../parts/form-dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { Note } from '../../parts/messages.tsx'
import { query } from '../../parts/router.ts'
import { toast } from '../../parts/toasts.tsx'
import { visible } from '../../parts/visible.ts'
import { whyNotKept } from '../script/kept.ts'
import { dayText } from './day-text.ts'
import { NAMES } from './filters.tsx'

const KEPT = 'runbook-page-filters:'
/** Maximum number of saved filters, because users lose track of a longer list. */
const MAX_SAVED = 12

interface Saved {
  readonly name: string
  /** The query of the list's address. */
  readonly query: string
}

function keyOfUser(): string {
  return KEPT + (person.peek()?.name ?? '')
}

function kept(): readonly Saved[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(keyOfUser()) ?? '[]')
    return Array.isArray(value) ? value.filter(isSaved).slice(0, MAX_SAVED) : []
  } catch {
    return []
  }
}

function isSaved(value: unknown): value is Saved {
  const { name, query: text } = (value ?? {}) as Partial<Saved>
  return typeof name === 'string' && typeof text === 'string'
}

/** Filters that everybody has. */
function usual(): readonly Saved[] {
  const me = new URLSearchParams({ user: person.value?.name ?? '' })
  return [
    { name: 'All', query: '' },
    { name: 'Mine', query: me.toString() },
    { name: 'Failed today', query: `status=failed&from=${dayText(new Date())}` },
    { name: 'Own scripts', query: 'kind=script' },
  ]
}

/** The filters, the order and the folding of the list, in one form for the same ones. */
function presentQuery(asked: URLSearchParams): string {
  const names = [...NAMES, 'sort', 'fold'].filter((name) => (asked.get(name) ?? '') !== '')
  return new URLSearchParams(names.map((name) => [name, asked.get(name) ?? ''])).toString()
}

/** Named filters: those that everybody has, and those that this browser keeps for the user. */
export function SavedFilters() {
  const [saved, setSaved] = useState(kept)
  const [isSaving, setIsSaving] = useState(false)
  const present = presentQuery(query.value)
  const all = [...usual(), ...saved]
  const isKnown = all.some((one) => presentQuery(new URLSearchParams(one.query)) === present)
  const change = (next: readonly Saved[]) => {
    try {
      localStorage.setItem(keyOfUser(), JSON.stringify(next))
    } catch {
      toast('The filter is not saved: the browser has no room.', { tone: 'bad', icon: 'alert' })
      return
    }
    setSaved(next)
  }
  const save = (name: string) => {
    change([...saved.filter((one) => one.name !== name), { name, query: present }])
    setIsSaving(false)
  }
  return (
    <>
      <ul class="saved" aria-label="Saved filters">
        {all.map((one, index) => (
          <li key={one.name}>
            <a
              href={one.query === '' ? '/sessions' : `/sessions?${one.query}`}
              aria-current={presentQuery(new URLSearchParams(one.query)) === present ? 'page' : undefined}
            >
              <bdi>{visible(one.name)}</bdi>
            </a>
            {index >= all.length - saved.length && (
              <button
                type="button"
                class="button is-quiet is-icon is-small"
                aria-label={`Remove the saved filter ${visible(one.name)}`}
                title="Remove"
                onClick={() => change(saved.filter(({ name }) => name !== one.name))}
              >
                <Icon name="cross" small />
              </button>
            )}
          </li>
        ))}
        {!isKnown && (
          <li>
            <button type="button" class="button is-quiet is-small" onClick={() => setIsSaving(true)}>
              <Icon name="plus" small />
              Save this filter
            </button>
          </li>
        )}
      </ul>
      {isSaving && (
        <SaveDialog present={present} saved={saved} onSave={save} onClose={() => setIsSaving(false)} />
      )}
    </>
  )
}

interface SaveDialogProps {
  readonly present: string
  readonly saved: readonly Saved[]
  readonly onSave: (name: string) => void
  readonly onClose: () => void
}

function SaveDialog({ present, saved, onSave, onClose }: SaveDialogProps) {
  const [name, setName] = useState('')
  const wanted = name.trim()
  const replaces = saved.some((one) => one.name === wanted)
  const isTaken = usual().some((one) => one.name === wanted)
  const isFull = saved.length >= MAX_SAVED && !replaces
  const why = whyNotKept(new URLSearchParams(present).toString())
  return (
    <FormDialog
      title="Save this filter"
      error={undefined}
      action={replaces ? 'Replace' : 'Save'}
      disabled={wanted === '' || isTaken || isFull || why !== undefined}
      onSubmit={() => onSave(wanted)}
      onClose={onClose}
    >
      <TextField label="Name" value={name} onValue={setName} autoFocus />
      <p class="hint">This browser keeps the filter, its order and its folded rows for you.</p>
      {isTaken && <Note tone="wait">Everybody has a filter of this name. Choose another one.</Note>}
      {isFull && <Note tone="wait">The browser keeps {MAX_SAVED} filters. Remove one first.</Note>}
      {why !== undefined && <Note tone="wait">The filter cannot be saved: {why}.</Note>}
    </FormDialog>
  )
}
