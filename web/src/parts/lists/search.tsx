import { Icon } from '../icon.tsx'
import { changeQuery, query } from '../router.ts'

// The search text of a list, which is stored in the address.

export function searchedText(): string {
  return query.value.get('search') ?? ''
}

/** Returns a function that tests whether a text has all words of the search. */
export function searchOf(): (text: string) => boolean {
  const words = searchedText().toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return () => true
  return (text) => {
    const lower = text.toLowerCase()
    return words.every((word) => lower.includes(word))
  }
}

/**
 * `name` is the list's name in its heading. `onEnter` is called for the Enter key, and opens the found item.
 */
export function SearchField({ name, onEnter }: { readonly name: string; readonly onEnter?: () => void }) {
  const label = `Search ${name.toLowerCase()}`
  return (
    <div class="search">
      <Icon name="search" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        data-shortcut="search"
        value={searchedText()}
        onInput={(event) => changeQuery({ search: event.currentTarget.value })}
        onKeyDown={(event) => event.key === 'Enter' && onEnter?.()}
      />
    </div>
  )
}

export function ClearSearch() {
  return (
    <button type="button" class="button" onClick={() => changeQuery({ search: '' })}>
      Clear the search
    </button>
  )
}
