/**
 * Parses JSON. Returns undefined for other texts instead of V8's error, because the error would quote the
 * text, which may be a secret.
 */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
