const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const PERCENT = 0x25
const SPACE = 0x20
const PLUS = 0x2b

/** What is written for each byte; PERCENT means percent-encoding. */
type Encoding = Uint8Array

/** RFC 3986, unreserved characters: most libraries, for one segment or value. */
const STRICT = encoding('-._~')

const OTHERS: readonly Encoding[] = [
  // encodeURIComponent.
  encoding("-._~!'()*"),
  // Python's quote.
  encoding('-._~/'),
  // Forms: Python's quote_plus and Go's QueryEscape; URLSearchParams and Java's URLEncoder.
  formEncoding('-._~'),
  formEncoding('-._*'),
]

const UPPER = hexDigits('0123456789ABCDEF')
const LOWER = hexDigits('0123456789abcdef')

/** The text in URLs and forms. Bytes are encoded, not characters: it need not be UTF-8. */
export function urlTexts(text: Buffer): Buffer[] {
  const differing = OTHERS.filter((other) => text.some((byte) => other[byte] !== STRICT[byte]))
  return [STRICT, ...differing].flatMap((one) => [encode(text, one, UPPER), encode(text, one, LOWER)])
}

function encode(text: Buffer, encoding: Encoding, digits: Uint8Array): Buffer {
  const encoded = Buffer.alloc(text.length * 3)
  let end = 0
  for (const byte of text) {
    const written = encoding[byte] ?? PERCENT
    encoded[end++] = written
    if (written !== PERCENT) continue
    encoded[end++] = digits[byte >> 4] ?? 0
    encoded[end++] = digits[byte & 15] ?? 0
  }
  return encoded.subarray(0, end)
}

function encoding(marks: string): Encoding {
  const written = new Uint8Array(256).fill(PERCENT)
  for (const byte of Buffer.from(ALPHANUMERIC + marks)) written[byte] = byte
  return written
}

function formEncoding(marks: string): Encoding {
  const written = encoding(marks)
  written[SPACE] = PLUS
  return written
}

function hexDigits(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits))
}
