import { signal } from '@preact/signals'
import type { MatchesPattern } from './rules.ts'

/** The gateway's engine, which no pattern can make slow. Loaded when the first pattern is needed. */
const engine = signal<typeof import('re2js').RE2JS | undefined>(undefined)
const compiled = new Map<string, ReturnType<typeof import('re2js').RE2JS.compile> | null>()

/** The gateway refuses longer patterns. */
const LONGEST_PATTERN = 4096

export async function loadPatterns(): Promise<void> {
  const { RE2JS } = await import('re2js')
  engine.value = RE2JS
}

/** Matches anywhere in the value, as in Go; undefined for a broken pattern, which the gateway reports. */
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
