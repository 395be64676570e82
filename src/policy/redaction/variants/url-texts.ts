interface Encoding {
  /** What is not written as it is. */
  readonly encoded: RegExp
  /** Whether a text is written as by none of the encodings before. */
  readonly differs: RegExp
  readonly space: '%20' | '+'
}

const ENCODINGS: readonly Encoding[] = [
  // RFC 3986, unreserved characters: most libraries, for one segment or value.
  { encoded: /[^A-Za-z0-9._~-]/g, differs: /^/, space: '%20' },
  // encodeURIComponent.
  { encoded: /[^A-Za-z0-9._~!'()*-]/g, differs: /[!'()*]/, space: '%20' },
  // Python's quote.
  { encoded: /[^A-Za-z0-9._~/-]/g, differs: /\//, space: '%20' },
  // Forms: Python's quote_plus and Go's QueryEscape; URLSearchParams and Java's URLEncoder.
  { encoded: /[^A-Za-z0-9._~-]/g, differs: / /, space: '+' },
  { encoded: /[^A-Za-z0-9._*-]/g, differs: /[ ~*]/, space: '+' },
]

/**
 * The text in URLs and forms. Bytes are encoded, not characters: it need not be UTF-8.
 * @param text with a character for each byte (latin1)
 */
export function urlTexts(text: string): string[] {
  const differing = ENCODINGS.filter(({ differs }) => differs.test(text))
  return differing.flatMap((encoding) => [encode(text, encoding, UPPER), encode(text, encoding, LOWER)])
}

function encode(text: string, { encoded, space }: Encoding, percent: readonly string[]): string {
  return text.replace(encoded, (byte) => (byte === ' ' ? space : (percent[byte.charCodeAt(0)] ?? '')))
}

const LOWER = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).padStart(2, '0')}`)
const UPPER = LOWER.map((written) => written.toUpperCase())
