import { base64Texts } from './base64-texts.ts'
import { jsonTexts } from './json-texts.ts'
import { isLineBreak } from './line-breaks.ts'
import { urlTexts } from './url-texts.ts'

/** Shorter ones would also be found where they mean nothing. */
const MIN_BYTES = 6

/** The text as it is, and without its line breaks: a stream may have others. */
export function plainTexts(text: Buffer): Buffer[] {
  const joined = text.filter((byte) => !isLineBreak(byte))
  return joined.length === text.length || joined.length < MIN_BYTES ? [text] : [text, Buffer.from(joined)]
}

/**
 * The text as programs write it: as it is, in base64, in URLs and forms, in JSON. Without duplicates, and without
 * results shorter than 6 bytes.
 */
export function variantsOf(text: Buffer): Buffer[] {
  const variants = [...plainTexts(text), ...base64Texts(text), ...urlTexts(text), ...jsonTexts(text)]
  return distinct(variants.filter(({ length }) => length >= MIN_BYTES))
}

function distinct(texts: readonly Buffer[]): Buffer[] {
  return [...new Map(texts.map((text) => [text.toString('latin1'), text])).values()]
}
