import { RE2JS, RE2JSException } from 're2js'
import type { Pattern, Recognizer } from '../recognizers/recognizer.ts'
import type { Finder } from './subject.ts'

/** A type that somebody has made up: what matches a pattern of RE2, or a list of texts. */
export interface CustomType {
  readonly name: string
  readonly regex: string | undefined
  readonly denyList: readonly string[]
  readonly score: number
}

/** Rules that cannot be used. The message is for whoever has written them. */
export class MaskingError extends Error {
  override readonly name = 'MaskingError'
}

/** Compiling takes long before the size is known; nobody writes a pattern like this by hand. */
const MAX_PATTERN_LENGTH = 10_000
/** Steps that a compiled pattern may have: each byte may cost all of them, some 30 ns each. */
const MAX_STEPS = 800
/** A list has many steps, and few of them at a time: texts begin differently. */
const STEPS_OF_LIST = 200

/** A type's recognizer, and how many steps it may take for a byte. */
export interface CustomRecognizer extends Recognizer {
  readonly steps: number
}

/** @throws MaskingError for a pattern that RE2 does not take, and for a type without anything to look for */
export function customRecognizer({ name, regex, denyList, score }: CustomType): CustomRecognizer {
  const patterns: Pattern[] = []
  const compiled = regex === undefined ? undefined : compile(name, regex)
  if (compiled !== undefined) patterns.push({ find: re2(limited(name, compiled)), score })
  if (denyList.length > 0) patterns.push({ find: wholeWords(name, denyList), score })
  if (patterns.length === 0) throw new MaskingError(`custom type ${name} has neither a regex nor a deny_list`)
  const steps = Math.max(compiled?.programSize() ?? 0, denyList.length > 0 ? STEPS_OF_LIST : 0)
  return { name: `custom:${name}`, type: name, patterns, steps }
}

/** Many a pattern begins with the character before what it is for, `(?:^|\W)`, so that one is looked at again. */
function re2(compiled: RE2JS): Finder {
  return function* ({ bytes }, from, found) {
    const matcher = compiled.matcher(bytes)
    for (let more = matcher.find(Math.max(0, from - 1)); more; more = matcher.find()) {
      const start = Math.max(from, matcher.start())
      if (matcher.end() > start) found(start, matcher.end())
      yield
    }
  }
}

/** The texts of a list in any case, with no letter, digit or `_` before and behind. The longest is tried first. */
function wholeWords(name: string, texts: readonly string[]): Finder {
  const choices = [...texts]
    .sort((left, right) => right.length - left.length)
    .map((text) => RE2JS.quote(text))
  const compiled = compile(name, `(?i)(?:^|[^\\pL\\pN_])(${choices.join('|')})(?:[^\\pL\\pN_]|$)`, Infinity)
  return function* ({ bytes }, from, found) {
    const matcher = compiled.matcher(bytes)
    for (let more = matcher.find(Math.max(0, from - 1)); more; more = matcher.find(matcher.end(1))) {
      if (matcher.start(1) >= from) found(matcher.start(1), matcher.end(1))
      yield
    }
  }
}

function limited(name: string, compiled: RE2JS): RE2JS {
  if (compiled.programSize() <= MAX_STEPS) return compiled
  throw new MaskingError(
    `custom type ${name}: its regex has ${compiled.programSize()} steps, ${MAX_STEPS} are allowed: let it repeat fewer times`,
  )
}

function compile(name: string, regex: string, longest = MAX_PATTERN_LENGTH): RE2JS {
  if (regex.length > longest) {
    throw new MaskingError(`custom type ${name}: its regex is longer than ${longest} characters`)
  }
  try {
    return RE2JS.compile(regex)
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    throw new MaskingError(`custom type ${name}: ${error.message}`)
  }
}
