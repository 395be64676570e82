import { visible } from './visible.ts'

/**
 * A name or text that other people have written, with its own direction and with visible hidden
 * characters.
 */
export function Name({ children }: { readonly children: string }) {
  return <bdi>{visible(children)}</bdi>
}
