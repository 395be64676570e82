import { visible } from './visible.ts'

/** A name or text that others have written: it has its own direction, and hides nothing. */
export function Name({ children }: { readonly children: string }) {
  return <bdi>{visible(children)}</bdi>
}
