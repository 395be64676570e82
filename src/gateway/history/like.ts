/**
 * The translation of a LIKE pattern, with the meaning that LIKE has in PostgreSQL. SQLite's own LIKE ignores
 * case.
 */
interface LikeMatch {
  readonly operator: '=' | 'GLOB'
  /** Null matches no session. */
  readonly value: string | null
}

/**
 * Translates a LIKE pattern: `%` means any text, `_` means one character, and a backslash escapes the next
 * character.
 */
export function likeMatch(pattern: string): LikeMatch {
  const unescaped = pattern.replace(/\\[^]/gu, '')
  // PostgreSQL rejects a trailing backslash. Here such a pattern matches nothing.
  if (unescaped.endsWith('\\')) return { operator: '=', value: null }
  if (!/[%_]/.test(unescaped)) return { operator: '=', value: pattern.replace(/\\([^])/gu, '$1') }
  return { operator: 'GLOB', value: pattern.replace(/\\([^])|[%_*?[]/gu, toGlob) }
}

function toGlob(found: string, escaped: string | undefined): string {
  if (escaped === undefined && found === '%') return '*'
  if (escaped === undefined && found === '_') return '?'
  const letter = escaped ?? found
  return '*?['.includes(letter) ? `[${letter}]` : letter
}
