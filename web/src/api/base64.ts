/** Newer browsers have this method. It decodes base64 without making a text of the bytes first. */
const { fromBase64 } = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }

/** @throws an error for a text that is not base64 */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  if (fromBase64 !== undefined) return fromBase64(base64)
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index)
  return bytes
}

export function decodeBase64Text(base64: string): string {
  return new TextDecoder().decode(bytesOf(base64))
}
