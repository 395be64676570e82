import { encodeText, runeAt, type ByteString } from '../../text/byte-string.ts'
import { isPrintable } from '../../text/characters.ts'

const HTML: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
}

const NUL_IN_HTML = encodeText('\ufffd')

const JAVASCRIPT: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
}

/** For the text of an HTML page or an attribute in quotes. */
export function escapeHtml(bytes: ByteString): ByteString {
  return bytes.replace(/["'&<>]/g, (character) => HTML[character] ?? character).replaceAll('\0', NUL_IN_HTML)
}

/** Runs of what may have to be escaped; the rest is taken over as it is. */
const SPECIAL_IN_JAVASCRIPT = /[^ !#-%(-;?-[\]-\x7f]+/g

/** For a string literal in JavaScript. */
export function escapeJavaScript(bytes: ByteString): ByteString {
  return bytes.replace(SPECIAL_IN_JAVASCRIPT, escapeJavaScriptRun)
}

function escapeJavaScriptRun(run: ByteString): ByteString {
  const parts: ByteString[] = []
  for (let at = 0; at < run.length;) {
    const { value, width } = runeAt(run, at)
    parts.push(escapeJavaScriptRune(value, run.slice(at, at + width)))
    at += width
  }
  return parts.join('')
}

function escapeJavaScriptRune(value: number, bytes: ByteString): ByteString {
  const named = JAVASCRIPT[bytes]
  if (named !== undefined) return named
  const isPlain = value < 0x80 ? value >= 0x20 : isPrintable(value)
  return isPlain ? bytes : `\\u${value.toString(16).toUpperCase().padStart(4, '0')}`
}

/** For a query of a URL: a blank becomes a plus, everything but letters, digits and `-_.~` two hexadecimal digits. */
export function escapeUrlQuery(bytes: ByteString): ByteString {
  return bytes.replace(/[^A-Za-z0-9\-_.~]/g, (character) =>
    character === ' ' ? '+' : `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}
