import { visible } from './visible.ts'

/** Other people's text: the browser finds its writing direction, and hidden characters are made visible. */
export function Name({ children }: { readonly children: string }) {
  return <bdi>{visible(children)}</bdi>
}
