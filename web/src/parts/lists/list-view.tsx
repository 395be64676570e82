import type { ComponentChildren } from 'preact'
import type { Loaded } from '../loaded.ts'
import { Empty, Loading, Problem } from '../messages.tsx'
import { visible } from '../visible.ts'
import { RowBlocks } from './row-blocks.tsx'
import { ClearSearch, searchOf, SearchField, searchedText } from './search.tsx'

interface ListViewProps<Item> {
  readonly title: string
  /** Explains the items, and which ones are shown. */
  readonly about: ComponentChildren
  readonly items: Loaded<readonly Item[]>
  /** Returns the searchable text of an item. Without this function the view has no search. */
  readonly textOf?: (item: Item) => string
  /** An `Empty` with advice, for a list without items. */
  readonly none: ComponentChildren
  /** Notes above the list, once it is loaded. */
  readonly notes?: (items: readonly Item[]) => ComponentChildren
  /** Names of the columns. A column that contains buttons has an empty name. */
  readonly columns: readonly string[]
  readonly row: (item: Item) => ComponentChildren
  readonly actions?: ComponentChildren
}

/** Draws only the rows near the window. */
export function ListView<Item>(props: ListViewProps<Item>) {
  const { title, about, items, textOf, none, notes, columns, row, actions } = props
  const { value, error, reload } = items
  const isFound = searchOf()
  const found = textOf === undefined ? value : value?.filter((item) => isFound(textOf(item)))
  return (
    <>
      <header class="head">
        <h1>{title}</h1>
        {value !== undefined && value.length > 0 && <span class="soft">{value.length}</span>}
        {actions !== undefined && <div class="line push">{actions}</div>}
        <p>{about}</p>
      </header>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading rows={5} />}
      {value !== undefined && notes?.(value)}
      {textOf !== undefined && value !== undefined && value.length > 0 && <SearchField name={title} />}
      {value?.length === 0 && none}
      {value !== undefined && value.length > 0 && found?.length === 0 && <NoneFound />}
      {found !== undefined && found.length > 0 && (
        <section class="card scroll" aria-label={title} tabIndex={0}>
          <table class="folds">
            <thead>
              <tr>
                {columns.map((name) => (
                  <th scope="col" key={name}>
                    {name === '' ? <span class="said-only">Actions</span> : name}
                  </th>
                ))}
              </tr>
            </thead>
            <RowBlocks items={found} row={row} columns={columns.length} />
          </table>
        </section>
      )}
    </>
  )
}

function NoneFound() {
  return (
    <Empty
      icon="search"
      title={
        <>
          Nothing has “<bdi>{visible(searchedText())}</bdi>”
        </>
      }
      actions={<ClearSearch />}
    >
      Names and the texts below the names were searched.
    </Empty>
  )
}
