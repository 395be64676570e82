import { signal } from '@preact/signals'
import type { MatchesPattern } from './rules.ts'

/**
 * The gateway's own engine: it gives the same answers, and no pattern can make it slow. Loaded with the first
 * pattern.
 */
const engine = signal<typeof import('re2js').RE2JS | undefined>(undefined)
const compiled = new Map<string, ReturnType<typeof import('re2js').RE2JS.compile> | null>()

/** The gateway refuses longer patterns. */
const LONGEST_PATTERN = 4096

export async function loadPatterns(): Promise<void> {
  const { RE2JS } = await import('re2js')
  engine.value = RE2JS
}

/** Matches anywhere in the value, as in Go. A pattern that does not compile is left to the gateway. */
export const matchesPattern: MatchesPattern = (pattern, value) => {
  const loaded = engine.value
  if (loaded === undefined || pattern.length > LONGEST_PATTERN) return undefined
  let expression = compiled.get(pattern)
  if (expression === undefined) {
    expression = tryCompile(loaded, pattern)
    compiled.set(pattern, expression)
  }
  return expression?.matcher(value).find()
}

function tryCompile(loaded: typeof import('re2js').RE2JS, pattern: string) {
  try {
    return loaded.compile(pattern)
  } catch {
    return null
  }
}
