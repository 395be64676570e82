import { signal } from '@preact/signals'
import type { MatchesPattern } from './rules.ts'

/**
 * The engine that the gateway uses. No pattern can make it slow. It is loaded when the first pattern is
 * needed.
 */
const engine = signal<typeof import('re2js').RE2JS | undefined>(undefined)
const compiled = new Map<string, ReturnType<typeof import('re2js').RE2JS.compile> | null>()

/** The gateway refuses longer patterns. */
const MAX_PATTERN_CHARACTERS = 4096

export async function loadPatterns(): Promise<void> {
  const { RE2JS } = await import('re2js')
  engine.value = RE2JS
}

/**
 * Searches for a match anywhere in the value, as Go does. Returns undefined for a broken pattern, because the
 * gateway reports it.
 */
export const matchesPattern: MatchesPattern = (pattern, value) => {
  const loaded = engine.value
  if (loaded === undefined || pattern.length > MAX_PATTERN_CHARACTERS) return undefined
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
