import { visible } from './visible.ts'

/**
 * A text that other people have written. The browser finds its writing direction, and hidden characters are
 * made visible.
 */
export function Name({ children }: { readonly children: string }) {
  return <bdi>{visible(children)}</bdi>
}
