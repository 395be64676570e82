import { Icon } from '../icon.tsx'
import { changeQuery, query } from '../router.ts'

// The search of a list, as the address has it.

export function searchedText(): string {
  return query.value.get('search') ?? ''
}

/** Returns whether the text has each word of the search. */
export function isFound(text: string): boolean {
  const words = searchedText().toLowerCase().split(/\s+/).filter(Boolean)
  return words.every((word) => text.toLowerCase().includes(word))
}

/** @param name of the list, in its heading */
export function SearchField({ name }: { readonly name: string }) {
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
