import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { path } from './router.ts'

/** The sign that the favicon shows beside the logo. */
export type Mark = 'running' | 'failed'

interface Named {
  readonly path: string
  readonly text: string
  readonly mark: Mark | undefined
}

/** The name of the open view. It is valid only as long as the address is the view's address. */
const named = signal<Named | undefined>(undefined)

/**
 * Names the window after the view's content, such as `refund-order failed`. `text` is undefined until the
 * content is loaded. `mark` is the sign on the favicon.
 */
export function useTitle(text: string | undefined, mark?: Mark): void {
  const here = path.value
  useEffect(() => {
    if (text !== undefined) named.value = { path: here, text, mark }
  }, [text, mark, here])
}

export function namedView(): Named | undefined {
  return named.value?.path === path.value ? named.value : undefined
}
