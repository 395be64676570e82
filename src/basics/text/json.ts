/** Returns undefined instead of V8's error, which would quote the text, perhaps a secret. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
