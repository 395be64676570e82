const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const PADDING = 0x3d
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

const IN_ALPHABET = new Uint8Array(256)
for (const character of ALPHABET) IN_ALPHABET[character.charCodeAt(0)] = 1

/** The bytes, or Go's words for what is wrong; the words hold an offset and nothing of the input. */
type Base64Result =
  { readonly bytes: Buffer; readonly problem?: never } | { readonly problem: string; readonly bytes?: never }

/**
 * Decodes as Go's base64.StdEncoding does: padding required, `\r` and `\n` ignored everywhere, surplus bits in
 * the last character ignored. The offset in `problem` is the one Go reports, counted in UTF-8 bytes.
 */
export function decodeBase64(encoded: string): Base64Result {
  const input = Buffer.from(encoded)
  const corrupt = findCorruptByte(input)
  if (corrupt !== undefined) return { problem: `illegal base64 data at input byte ${corrupt}` }
  return { bytes: Buffer.from(encoded, 'base64') }
}

function findCorruptByte(input: Uint8Array): number | undefined {
  let inQuantum = 0
  for (let at = 0; at < input.length; at++) {
    const byte = input[at] ?? 0
    if (isLineBreak(byte)) continue
    if (IN_ALPHABET[byte] === 1) inQuantum = (inQuantum + 1) % 4
    else if (byte === PADDING && inQuantum >= 2) return findCorruptPadding(input, at, inQuantum)
    else return at
  }
  // Go subtracts the characters of the unfinished quantum from the end, line breaks between them or not.
  return inQuantum === 0 ? undefined : input.length - inQuantum
}

/** `at` is the first `=`, after two or three characters of its quantum. */
function findCorruptPadding(input: Uint8Array, at: number, inQuantum: number): number | undefined {
  let next = skipLineBreaks(input, at + 1)
  if (inQuantum === 2) {
    if (next === input.length) return next
    if (input[next] !== PADDING) return next - 1
    next = skipLineBreaks(input, next + 1)
  }
  return next < input.length ? next : undefined
}

function skipLineBreaks(input: Uint8Array, from: number): number {
  let at = from
  while (isLineBreak(input[at])) at++
  return at
}

function isLineBreak(byte: number | undefined): boolean {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN
}
