import { base64Texts } from './base64-texts.ts'
import { jsonTexts } from './json-texts.ts'
import { urlTexts } from './url-texts.ts'

/** Shorter ones would be found where they mean nothing. */
const MIN_BYTES = 6

/**
 * The text as programs write it: as it is, in base64, in URLs and forms, in JSON. No two are equal; what comes out
 * shorter than 6 bytes is left out.
 */
export function variantsOf(text: Buffer): Buffer[] {
  const variants = [text, ...base64Texts(text), ...urlTexts(text), ...jsonTexts(text)]
  return distinct(variants.filter(({ length }) => length >= MIN_BYTES))
}

function distinct(texts: readonly Buffer[]): Buffer[] {
  return [...new Map(texts.map((text) => [text.toString('latin1'), text])).values()]
}
