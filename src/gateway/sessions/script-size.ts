const SPACE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Those that JSON writes with one letter: `\b`, `\t`, `\n`, `\f`, `\r`. */
const SHORT_ESCAPES: ReadonlySet<number> = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d])
const LONG_ESCAPE = '\\u0000'.length

/** Characters of a script between the quotes of JSON, which is what hoop's gateway says of its size. */
export function scriptSize(script: Buffer): number {
  let size = 0
  for (const byte of script) size += charactersOf(byte)
  return size
}

function charactersOf(byte: number): number {
  if (byte === QUOTE || byte === BACKSLASH) return 2
  if (byte < SPACE) return SHORT_ESCAPES.has(byte) ? 2 : LONG_ESCAPE
  // The bytes behind the first one of a character.
  return (byte & 0xc0) === 0x80 ? 0 : 1
}
