import { visible } from './visible.ts'

/**
 * A name or text that other people have written. The browser finds its writing direction by itself,
 * and hidden characters are made visible.
 */
export function Name({ children }: { readonly children: string }) {
  return <bdi>{visible(children)}</bdi>
}
