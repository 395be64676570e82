import type { RE2JS } from 're2js'
import { compileRegexp, PatternError } from '../../golang/text/regexp.ts'
import { readRune, widthOfRune, WordTrie } from '../automaton/nodes.ts'
import { PolicyError } from '../policy-error.ts'
import type { Work } from '../work.ts'
import { goesOverLines } from './line-cuts.ts'
import type { Pattern, Recognizer } from './recognizers/recognizer.ts'
import type { Finder, Subject } from './subject.ts'

/**
 * Cached results of `folded` and `isWordRune` for the first 65,536 code points. An entry is the result plus
 * one, or 0 for an unknown result.
 */
const folds = new Uint32Array(0x10000)
const words = new Uint8Array(0x10000)

/**
 * Returns the same value for code points that differ only in case. Uses simple case folding, as RE2 does for
 * `(?i)`.
 */
export function folded(rune: number): number {
  const kept = folds[rune] ?? 0
  if (kept > 0) return kept - 1
  const fold = folding(rune)
  folds[rune] = fold + 1
  return fold
}

export function isWordRune(rune: number): boolean {
  if (rune < 0) return false
  const kept = words[rune] ?? 0
  if (kept > 0) return kept === 2
  const is = /[\p{L}\p{N}_]/u.test(String.fromCodePoint(rune))
  words[rune] = is ? 2 : 1
  return is
}

/** Returns the code point that ends at this byte, or -1. */
function runeBefore(bytes: Buffer, at: number): number {
  for (let width = 1; width <= Math.min(4, at); width++) {
    const rune = readRune(bytes, at - width)
    if (rune >= 0 && widthOfRune(rune) === width) return rune
  }
  return -1
}

function folding(rune: number): number {
  // JavaScript's capital of the dotless i is I, which would make it equal to i.
  if (rune === DOTLESS_I) return rune
  const upper = single(String.fromCodePoint(rune).toUpperCase(), rune)
  return single(String.fromCodePoint(upper).toLowerCase(), upper)
}

const DOTLESS_I = 0x131

/** Returns the code point of a text with exactly one code point, and `other` for any other text. */
function single(text: string, other: number): number {
  const rune = text.codePointAt(0) ?? other
  return String.fromCodePoint(rune).length === text.length ? rune : other
}

/** Maximum number of texts and of code points between two pauses. */
const TEXTS_IN_ONE_GO = 200
const RUNES_IN_ONE_GO = 20_000

/**
 * Finds the texts in upper or lower case, unless a letter, digit or `_` is next to them. Prefers the longest
 * text.
 */
function* denyList(texts: readonly string[]): Work<Finder> {
  const trie = new WordTrie()
  for (const [n, text] of texts.entries()) {
    trie.add(foldedText(text), 0)
    if (n % TEXTS_IN_ONE_GO === 0) yield
  }
  return function* (subject, from, found) {
    const { bytes } = subject
    let isApart = !isWordRune(runeBefore(bytes, from))
    let due = from + RUNES_IN_ONE_GO
    for (let at = from; at < bytes.length;) {
      const end = isApart ? longestAt(trie, subject, at) : at
      if (end > at) found(at, end)
      const rune = end > at ? runeBefore(bytes, end) : readRune(bytes, at)
      at = end > at ? end : at + width(rune)
      isApart = !isWordRune(rune)
      if (at < due) continue
      due = at + RUNES_IN_ONE_GO
      yield
    }
  }
}

function foldedText(text: string): string {
  return String.fromCodePoint(...Array.from(text, (character) => folded(character.codePointAt(0) ?? 0)))
}

/** Returns the end of the longest text that begins at `start`, or `start` when no text begins there. */
function longestAt(trie: WordTrie, { bytes, whole }: Subject, start: number): number {
  let [node, end] = [0, start]
  for (let at = start; at < bytes.length;) {
    const rune = readRune(bytes, at)
    const child = rune < 0 ? undefined : trie.child(node, folded(rune))
    if (child === undefined) break
    node = child
    at += width(rune)
    if (trie.ends(node) !== undefined && !isWordRune(readRune(whole ?? bytes, at))) end = at
  }
  return end
}

function width(rune: number): number {
  return rune < 0 ? 1 : widthOfRune(rune)
}

/** A type that users have defined, by a pattern of RE2, a list of texts, or both. */
export interface CustomType {
  readonly name: string
  readonly regex: string | undefined
  readonly denyList: readonly string[]
  readonly score: number
}

/** Maximum number of steps of a pattern. One byte may cost all steps, and each step takes some 30 ns. */
const MAX_STEPS = 800
/** Maximum number of steps of a session's patterns, which are searched one after the other. */
const MAX_STEPS_OF_ALL = 100_000
/**
 * Maximum number of characters of all lists, enough for tens of thousands of texts. They need some 20 MB of
 * memory.
 */
const MAX_CHARACTERS_OF_ALL = 250_000
/**
 * Maximum length of one text. If only the beginning of a text matches, the search reads these bytes again.
 */
const MAX_CHARACTERS = 1_000

/** Approximate memory of a step and of a list's character, in bytes. */
const STEP_BYTES = 200
const CHARACTER_BYTES = 80

export interface CustomRecognizer extends Recognizer {
  /** Maximum number of steps that the regex needs for one byte. */
  readonly steps: number
  /** Approximate memory. */
  readonly bytes: number
  /** Patterns that may match over several lines. */
  readonly overLines: readonly RE2JS[]
}

/**
 * @throws PolicyError if a type cannot be used (the error names the type) or if all types together cost too
 * much
 */
export function* customRecognizers(types: readonly CustomType[]): Work<CustomRecognizer[]> {
  const recognizers: CustomRecognizer[] = []
  let [steps, characters] = [0, 0]
  for (const type of types) {
    characters += type.denyList.reduce((sum, text) => sum + text.length, 0)
    refuseBeyond(type.name, 'characters in the deny lists', characters, MAX_CHARACTERS_OF_ALL)
    const recognizer = yield* customRecognizer(type)
    steps += recognizer.overLines.reduce((sum, regex) => sum + regex.programSize(), recognizer.steps)
    refuseBeyond(type.name, 'steps of regexes', steps, MAX_STEPS_OF_ALL)
    recognizers.push(recognizer)
    yield
  }
  return recognizers
}

function refuseBeyond(name: string, what: string, count: number, most: number): void {
  if (count <= most) return
  throw new PolicyError(
    `custom type ${name}: this type and the types before it have ${count} ${what}; the maximum is ${most}`,
  )
}

function* customRecognizer({ name, regex, denyList: texts, score }: CustomType): Work<CustomRecognizer> {
  const patterns: Pattern[] = []
  const compiled = regex === undefined ? undefined : limited(name, compile(name, regex))
  if (compiled !== undefined) patterns.push({ find: re2(compiled), score })
  if (texts.some(({ length }) => length > MAX_CHARACTERS))
    throw new PolicyError(
      `custom type ${name}: a string of the deny_list has more than ${MAX_CHARACTERS} characters`,
    )
  if (texts.length > 0) patterns.push({ find: yield* denyList(texts), score })
  if (patterns.length === 0) throw new PolicyError(`custom type ${name} has neither a regex nor a deny_list`)
  const ofList = texts.filter((text) => /[\n\r]/.test(text)).map((text) => wholeWord(name, text))
  const overLines = compiled !== undefined && goesOverLines(compiled) ? [compiled, ...ofList] : ofList
  const steps = compiled?.programSize() ?? 0
  const bytes = steps * STEP_BYTES + texts.reduce((sum, { length }) => sum + length, 0) * CHARACTER_BYTES
  return { name: `custom:${name}`, type: name, patterns, steps, bytes, overLines }
}

/**
 * The search begins one character before `from`, because many patterns begin with `(?:^|\W)`, which matches
 * that character.
 */
function re2(compiled: RE2JS): Finder {
  return function* ({ bytes, whole = bytes }, from, found) {
    const matcher = compiled.matcher(whole)
    for (let more = matcher.find(Math.max(0, from - 1)); more; more = matcher.find()) {
      const [start, end] = [Math.max(from, matcher.start()), Math.min(matcher.end(), bytes.length)]
      if (start >= bytes.length) return
      if (end > start) found(start, end)
      yield
    }
  }
}

/** Compiles a list entry that has a line end. The match also contains the character after the entry. */
function wholeWord(name: string, text: string): RE2JS {
  const quoted = text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`)
  return compile(name, `(?i)${quoted}(?:[^\\pL\\pN_]|$)`)
}

function limited(name: string, compiled: RE2JS): RE2JS {
  if (compiled.programSize() <= MAX_STEPS) return compiled
  throw new PolicyError(
    `custom type ${name}: the regex has ${compiled.programSize()} steps, maximum is ${MAX_STEPS}; lower the repeat counts`,
  )
}

function compile(name: string, regex: string): RE2JS {
  try {
    return compileRegexp(regex)
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    throw new PolicyError(`custom type ${name}: ${error.message}`)
  }
}
