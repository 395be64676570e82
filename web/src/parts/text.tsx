import { visible } from './visible.ts'

/**
 * Shows a text that other people wrote. The browser chooses the text's writing direction, and hidden
 * characters are made visible.
 */
export function Name({ children }: { readonly children: string }) {
  return <bdi>{visible(children)}</bdi>
}
