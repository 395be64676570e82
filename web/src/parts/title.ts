import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { path } from './router.ts'

/** What the favicon shows beside the mark itself. */
export type Mark = 'running' | 'failed'

interface Named {
  readonly path: string
  readonly text: string
  readonly mark: Mark | undefined
}

/** What the view that is open says of itself. It counts for its own address alone. */
const named = signal<Named | undefined>(undefined)

/**
 * Names the window after what the view shows: `refund-order failed`.
 * @param text undefined as long as the view does not know it
 * @param mark for the favicon
 */
export function useTitle(text: string | undefined, mark?: Mark): void {
  const here = path.value
  useEffect(() => {
    if (text !== undefined) named.value = { path: here, text, mark }
  }, [text, mark, here])
}

/** What the view has said, undefined where it has not. */
export function namedView(): Named | undefined {
  return named.value?.path === path.value ? named.value : undefined
}
