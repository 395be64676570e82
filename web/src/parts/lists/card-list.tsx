import type { ComponentChildren } from 'preact'
import type { Loaded } from '../loaded.ts'
import { Empty, Loading, Problem } from '../messages.tsx'

interface CardListProps<Item> {
  readonly title: string
  readonly items: Loaded<readonly Item[]>
  readonly keyOf: (item: Item) => string
  readonly card: (item: Item) => ComponentChildren
  /** What to do when there is nothing. */
  readonly none: ComponentChildren
}

/** A view that is a list of what there is: a few dozen at most. */
export function CardList<Item>({ title, items, keyOf, card, none }: CardListProps<Item>) {
  const { value, error, reload } = items
  return (
    <section class="view">
      <h1>{title}</h1>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {value === undefined && error === undefined && <Loading />}
      {value?.length === 0 && <Empty>{none}</Empty>}
      <ul class="cards">
        {value?.map((item) => (
          <li key={keyOf(item)}>{card(item)}</li>
        ))}
      </ul>
    </section>
  )
}
