import { charactersIn, DIGITS, union, WORD, type Characters } from './characters.ts'

/** Whole numbers, perhaps with a sign. */
const NUMBER_PATTERN = /^\^(?:-\?|\[-\+\]\?|\[\+-\]\?)?(?:\[0-9\]|\\d)(?:[+*]|\{\d+(?:,\d*)?\})?\$$/

export function admitsNumbersOnly(pattern: string): boolean {
  return NUMBER_PATTERN.test(pattern)
}

/**
 * The characters of the texts that a pattern admits; undefined when the pattern does not tell for certain. It reads a
 * small part of Go's syntax and gives up on everything else: flags, negation, `.`, named classes, and patterns that are
 * not anchored at both ends or have a choice beside the anchors (`^a|b$`).
 */
export function admittedBy(pattern: string): Characters | undefined {
  const anchored = /^(?:\^|\\A)([^]*)(?:\$|\\z)$/.exec(pattern)?.[1]
  if (anchored === undefined) return undefined
  const reading = { text: anchored, at: 0 }
  try {
    const admitted = readSequence(reading, 0)
    return reading.at === anchored.length ? admitted : undefined
  } catch (error) {
    if (error instanceof Unread) return undefined
    throw error
  }
}

class Unread extends Error {}

interface Reading {
  readonly text: string
  at: number
}

const MAX_GROUPS = 50
const QUANTIFIER = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y
const GROUP = /\((?:\?:)?(?!\?)/y
const SPECIAL = new Set('^$.|()[]{}*+?\\')

/** Up to the end of the text or of the group around it. */
function readSequence(reading: Reading, depth: number): Characters {
  if (depth > MAX_GROUPS) throw new Unread()
  const parts: Characters[] = []
  while (reading.at < reading.text.length && reading.text[reading.at] !== ')') {
    if (reading.text[reading.at] === '|') {
      if (depth === 0) throw new Unread()
      reading.at++
      continue
    }
    parts.push(readAtom(reading, depth))
    take(reading, QUANTIFIER)
  }
  return union(...parts)
}

function readAtom(reading: Reading, depth: number): Characters {
  if (reading.text[reading.at] === '(') return readGroup(reading, depth)
  if (reading.text[reading.at] === '[') return readClass(reading)
  if (reading.text[reading.at] === '\\') return readEscape(reading)
  const character = readCharacter(reading)
  if (SPECIAL.has(character)) throw new Unread()
  return charactersIn(character)
}

function readGroup(reading: Reading, depth: number): Characters {
  if (take(reading, GROUP) === undefined) throw new Unread()
  const inner = readSequence(reading, depth + 1)
  if (reading.text[reading.at++] !== ')') throw new Unread()
  return inner
}

function readClass(reading: Reading): Characters {
  reading.at++
  if (reading.text[reading.at] === '^' || reading.text[reading.at] === ']') throw new Unread()
  const parts: Characters[] = []
  while (reading.text[reading.at] !== ']') parts.push(readMember(reading))
  reading.at++
  return union(...parts)
}

function readMember(reading: Reading): Characters {
  if (reading.text[reading.at] === '[') throw new Unread()
  const first = reading.text[reading.at] === '\\' ? readEscape(reading) : charactersIn(readCharacter(reading))
  const [start, ...others] = first
  const isRange = reading.text[reading.at] === '-' && reading.text[reading.at + 1] !== ']'
  if (!isRange) return first
  reading.at++
  if (reading.text[reading.at] === '[' || reading.text[reading.at] === '\\') throw new Unread()
  const [end] = charactersIn(readCharacter(reading))
  if (start === undefined || end === undefined || others.length > 0) throw new Unread()
  return new Set(Array.from({ length: Math.max(end - start + 1, 0) }, (_, at) => start + at))
}

/** `\d`, `\w`, or an escaped punctuation mark. */
function readEscape(reading: Reading): Characters {
  reading.at++
  const character = readCharacter(reading)
  if (character === 'd') return DIGITS
  if (character === 'w') return WORD
  if (/[A-Za-z0-9]/.test(character)) throw new Unread()
  return charactersIn(character)
}

function readCharacter(reading: Reading): string {
  const code = reading.text.codePointAt(reading.at)
  if (code === undefined) throw new Unread()
  const character = String.fromCodePoint(code)
  reading.at += character.length
  return character
}

function take(reading: Reading, expression: RegExp): string | undefined {
  expression.lastIndex = reading.at
  const [found] = expression.exec(reading.text) ?? []
  reading.at += found?.length ?? 0
  return found
}
