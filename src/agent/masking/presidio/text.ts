import { isUtf8 } from 'node:buffer'

/** A piece of output as Presidio gets it, and where each of its code points lies in the bytes. */
export interface AnalyzedText {
  readonly bytes: Buffer
  /** The same, with `?` for each byte that is no UTF-8. */
  readonly sent: Buffer
  /** Byte offset of each code point, and of the end. Presidio's offsets are those of a Python string. */
  readonly offsets: Uint32Array
}

export function analyzedText(bytes: Buffer): AnalyzedText {
  const sent = isUtf8(bytes) ? bytes : withoutInvalid(bytes)
  const offsets = new Uint32Array(sent.length + 1)
  let codePoints = 0
  for (let i = 0; i < sent.length; i += 1) if (!isContinuation(sent[i])) offsets[codePoints++] = i
  offsets[codePoints] = sent.length
  return { bytes, sent, offsets: offsets.subarray(0, codePoints + 1) }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

function withoutInvalid(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  for (let i = 0; i < copy.length;) {
    const length = validLength(copy, i)
    if (length === 0) copy[i] = 0x3f
    i += Math.max(1, length)
  }
  return copy
}

/** Bytes of the code point that begins here, 0 if none does. */
function validLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0
  if (lead < 0x80) return 1
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  return isUtf8(bytes.subarray(at, at + length)) ? length : 0
}
