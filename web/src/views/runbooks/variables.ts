export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '')
}

/** Reads a line `NAME=value`. The gateway's API expects the key `envvar:NAME` and the value in base64. */
export function variableOf(line: string): [string, string] {
  const equals = line.indexOf('=')
  const [name, value] = equals < 0 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)]
  return [`envvar:${name.trim()}`, encoded(value)]
}

/** Returns the text in base64, as the gateway's API expects the values of variables. */
export function encoded(value: string): string {
  const bytes = new TextEncoder().encode(value)
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}
