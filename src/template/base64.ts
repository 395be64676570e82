import type { ByteString } from './bytestring.ts'
import { FunctionFailure } from './errors.ts'

/** Standard base64 with padding. */
export function encodeBase64(bytes: ByteString): ByteString {
  return Buffer.from(bytes, 'latin1').toString('base64')
}

/** The bytes of standard base64. Line breaks are skipped; anything else wrong fails with Go's error and offset. */
export function decodeBase64(text: ByteString): ByteString {
  const fault = faultIn(text)
  if (fault !== undefined) throw new FunctionFailure(`illegal base64 data at input byte ${fault}`)
  return Buffer.from(text, 'base64').toString('latin1')
}

const STRANGER = /[^A-Za-z0-9+/\r\n]/
const GROUP = 4

/** Where Go stops reading, if it does. */
function faultIn(text: ByteString): number | undefined {
  const stranger = text.search(STRANGER)
  const body = stranger < 0 ? text : text.slice(0, stranger)
  const inGroup = body.replace(/[\r\n]/g, '').length % GROUP
  if (stranger < 0) return inGroup === 0 ? undefined : text.length - inGroup
  return text.charAt(stranger) === '=' ? paddingFault(text, stranger, inGroup) : stranger
}

/** Padding completes a group that has two or three characters, and only line breaks follow it. */
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
