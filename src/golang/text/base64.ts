import { encodeText, type ByteString } from './byte-string.ts'

/** `problem` is Go's error text. It has an offset, but no part of the input. */
type Base64Result =
  { readonly bytes: Buffer; readonly problem?: never } | { readonly problem: string; readonly bytes?: never }

export function decodeBase64(encoded: string): Base64Result {
  const problem = isOrdinary(encoded) ? undefined : base64Fault(encodeText(encoded))
  return problem === undefined ? { bytes: Buffer.from(encoded, 'base64') } : { problem }
}

/** Tests if the text is one line of complete groups, with padding only at the end. */
function isOrdinary(encoded: string): boolean {
  const end = encoded.search(/[^A-Za-z0-9+/]/)
  const padding = end < 0 ? '' : encoded.slice(end)
  return encoded.length % GROUP === 0 && (padding === '' || padding === '=' || padding === '==')
}

/**
 * Returns the error of Go's base64.StdEncoding, or undefined for a valid text. Go requires padding, but
 * ignores `\r`, `\n` and unused bits in the last character.
 */
export function base64Fault(text: ByteString): string | undefined {
  const fault = faultAt(text)
  return fault === undefined ? undefined : `illegal base64 data at input byte ${fault}`
}

const STRANGER = /[^A-Za-z0-9+/\r\n]/
const GROUP = 4

/** Returns the offset where Go stops reading; undefined for a text that Go accepts. */
function faultAt(text: ByteString): number | undefined {
  const stranger = text.search(STRANGER)
  const body = stranger < 0 ? text : text.slice(0, stranger)
  const inGroup = body.replace(/[\r\n]/g, '').length % GROUP
  if (stranger < 0) return inGroup === 0 ? undefined : text.length - inGroup
  return text.charAt(stranger) === '=' ? paddingFault(text, stranger, inGroup) : stranger
}

/** Checks the padding: it completes a group of two or three characters. Only line breaks may come after. */
function paddingFault(text: ByteString, at: number, inGroup: number): number | undefined {
  if (inGroup < 2) return at
  let end = at + 1
  if (inGroup === 2) {
    end = afterLineBreaks(text, end)
    if (end === text.length) return end
    if (text.charAt(end) !== '=') return end - 1
    end++
  }
  end = afterLineBreaks(text, end)
  return end < text.length ? end : undefined
}

function afterLineBreaks(text: ByteString, at: number): number {
  let end = at
  while (isLineBreak(text.charAt(end))) end++
  return end
}

function isLineBreak(character: string): boolean {
  return character === '\n' || character === '\r'
}
