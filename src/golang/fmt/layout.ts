import { countRunes, type ByteString } from '../text/byte-string.ts'

/** Flags, width and precision of one verb of a format. `goSyntax` is `%#v`. */
export interface Layout {
  readonly minus: boolean
  readonly plus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
  readonly goSyntax: boolean
  readonly width: number | undefined
  readonly precision: number | undefined
}

/** No flags at all, as `print` formats. */
export const PLAIN: Layout = {
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  goSyntax: false,
  width: undefined,
  precision: undefined,
}

/** Text brought to the width of a layout, which counts code points. */
export function pad(text: ByteString, layout: Layout): ByteString {
  const missing = (layout.width ?? 0) - (layout.width === undefined ? 0 : countRunes(text))
  if (missing <= 0) return text
  if (layout.minus) return text + ' '.repeat(missing)
  return (layout.zero ? '0' : ' ').repeat(missing) + text
}

/** Like `pad`, but never with zeros: numbers have put theirs in already. */
export function padWithSpaces(text: ByteString, layout: Layout): ByteString {
  return pad(text, { ...layout, zero: false })
}
