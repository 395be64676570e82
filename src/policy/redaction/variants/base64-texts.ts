const BITS = 6
/** RFC 2045 and coreutils; RFC 7468 and openssl. */
const COLUMNS = [76, 64]

/**
 * What a text looks like inside a longer one in base64, standard and URL-safe: once for each position that it can have
 * in a group of three bytes, without the characters that also depend on its neighbours. Also its lines when it is
 * encoded alone and wrapped.
 */
export function base64Texts(text: Buffer): Buffer[] {
  const aligned = [0, 1, 2].map((before) => encodedBehind(before, text))
  const lines = COLUMNS.flatMap((columns) => wrapped(aligned[0] ?? '', columns))
  return [...aligned, ...lines].flatMap(bothAlphabets)
}

function encodedBehind(before: number, text: Buffer): string {
  const encoded = Buffer.concat([Buffer.alloc(before), text]).toString('base64')
  const first = Math.ceil((before * 8) / BITS)
  const end = Math.floor(((before + text.length) * 8) / BITS)
  return encoded.slice(first, end)
}

/** Includes the last line, which may show up to 56 bytes. */
function wrapped(encoded: string, columns: number): string[] {
  const lines = Math.ceil(encoded.length / columns)
  return Array.from({ length: lines }, (_, line) => encoded.slice(line * columns, (line + 1) * columns))
}

function bothAlphabets(encoded: string): Buffer[] {
  const urlSafe = encoded.replaceAll('+', '-').replaceAll('/', '_')
  return [Buffer.from(encoded, 'latin1'), Buffer.from(urlSafe, 'latin1')]
}
