/** Returns undefined if the text is not JSON. V8's error would quote the text, which may be a secret. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
