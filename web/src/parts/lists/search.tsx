import { Icon } from '../icon.tsx'
import { changeQuery, query } from '../router.ts'

// The search of a list, as the address has it.

export function searchedText(): string {
  return query.value.get('search') ?? ''
}

/** Returns the test whether a text has each word of the search. */
export function searchOf(): (text: string) => boolean {
  const words = searchedText().toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return () => true
  return (text) => {
    const lower = text.toLowerCase()
    return words.every((word) => lower.includes(word))
  }
}

/** @param name of the list, in its heading @param onEnter opens what was found */
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
