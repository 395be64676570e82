import { encodeRune, isValidRune, runeAt, type ByteString } from './byte-string.ts'

/** One character of a literal: its value, the bytes it stands for, and where the next one starts. */
export interface LiteralCharacter {
  readonly value: number
  readonly bytes: ByteString
  readonly next: number
}

const SIMPLE_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['a', 0x07],
  ['b', 0x08],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['v', 0x0b],
  ['\\', 0x5c],
])
const HEX_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
])

/** The value of a string literal with its quotes (double or back); undefined where Go says `invalid syntax`. */
export function unquote(literal: ByteString): ByteString | undefined {
  if (literal.startsWith('`')) return literal.slice(1, -1).replaceAll('\r', '')
  if (!literal.includes('\\')) return literal.slice(1, -1)
  const end = literal.length - 1
  const parts: string[] = []
  for (let at = 1; at < end;) {
    const character = literalCharacter(literal, at, '"')
    if (character === undefined || character.next > end) return undefined
    parts.push(character.bytes)
    at = character.next
  }
  return parts.join('')
}

/** The character of a literal at a place, escapes resolved; undefined for the closing quote and for nonsense. */
export function literalCharacter(
  text: ByteString,
  at: number,
  quoteMark: string,
): LiteralCharacter | undefined {
  if (text[at] === quoteMark) return undefined
  if (text[at] !== '\\') {
    const { value, width } = runeAt(text, at)
    return { value, bytes: encodeRune(value), next: at + width }
  }
  return escape(text, at + 1, quoteMark)
}

function escape(text: ByteString, at: number, quoteMark: string): LiteralCharacter | undefined {
  const letter = text.charAt(at)
  const simple = letter === quoteMark ? quoteMark.charCodeAt(0) : SIMPLE_ESCAPES.get(letter)
  if (simple !== undefined) return { value: simple, bytes: String.fromCharCode(simple), next: at + 1 }
  const digits = HEX_ESCAPES.get(letter)
  if (digits !== undefined) return hexEscape(text, at + 1, digits)
  return octalEscape(text, at)
}

function hexEscape(text: ByteString, at: number, digits: number): LiteralCharacter | undefined {
  const written = text.slice(at, at + digits)
  if (written.length < digits || !/^[0-9a-fA-F]+$/.test(written)) return undefined
  const value = Number.parseInt(written, 16)
  if (digits === 2) return { value, bytes: String.fromCharCode(value), next: at + digits }
  if (!isValidRune(value)) return undefined
  return { value, bytes: encodeRune(value), next: at + digits }
}

function octalEscape(text: ByteString, at: number): LiteralCharacter | undefined {
  const written = text.slice(at, at + 3)
  if (!/^[0-7]{3}$/.test(written)) return undefined
  const value = Number.parseInt(written, 8)
  if (value > 255) return undefined
  return { value, bytes: String.fromCharCode(value), next: at + 3 }
}
