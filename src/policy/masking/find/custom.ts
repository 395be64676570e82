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
/** Steps that a compiled pattern may have: each byte may cost all of them. */
const MAX_STEPS = 5000

/** @throws MaskingError for a pattern that RE2 does not take, and for a type without anything to look for */
export function customRecognizer(custom: CustomType): Recognizer {
  const { name, regex, denyList, score } = custom
  const patterns: Pattern[] = []
  if (regex !== undefined) patterns.push({ find: re2(name, regex), score })
  if (denyList.length > 0) patterns.push({ find: wholeWords(name, denyList), score })
  if (patterns.length === 0) throw new MaskingError(`custom type ${name} has neither a regex nor a deny_list`)
  return { name: `custom:${name}`, type: name, patterns }
}

function re2(name: string, regex: string): Finder {
  const compiled = compile(name, regex)
  return ({ bytes }, from, found) => {
    const matcher = compiled.matcher(bytes)
    for (let more = matcher.find(from); more; more = matcher.find()) {
      if (matcher.end() > matcher.start()) found(matcher.start(), matcher.end())
    }
  }
}

/** The texts of a deny list, in any case, where no letter, digit or `_` is before or behind. The longest is tried first. */
function wholeWords(name: string, texts: readonly string[]): Finder {
  const choices = [...texts]
    .sort((left, right) => right.length - left.length)
    .map((text) => RE2JS.quote(text))
  const compiled = compile(name, `(?i)(?:^|[^\\pL\\pN_])(${choices.join('|')})(?:[^\\pL\\pN_]|$)`)
  return ({ bytes }, from, found) => {
    const matcher = compiled.matcher(bytes)
    for (let more = matcher.find(from); more; more = matcher.find(matcher.end(1))) {
      found(matcher.start(1), matcher.end(1))
    }
  }
}

function compile(name: string, regex: string): RE2JS {
  if (regex.length > MAX_PATTERN_LENGTH) {
    throw new MaskingError(`custom type ${name}: its pattern is longer than ${MAX_PATTERN_LENGTH} characters`)
  }
  try {
    const compiled = RE2JS.compile(regex)
    if (compiled.programSize() <= MAX_STEPS) return compiled
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    throw new MaskingError(`custom type ${name}: ${error.message}`)
  }
  throw new MaskingError(
    `custom type ${name}: its pattern has more than ${MAX_STEPS} steps, repeat fewer times`,
  )
}
