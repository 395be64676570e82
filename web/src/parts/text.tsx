import { visible } from './visible.ts'

/** A name or text that other people have written: it has its own direction, and shows hidden characters. */
export function Name({ children }: { readonly children: string }) {
  return <bdi>{visible(children)}</bdi>
}
