/** Maximum number of suggested names. */
const MAX_CANDIDATES = 3
/** Minimum length of a word that is searched for inside names. Too many names contain a shorter one. */
const MIN_PART_CHARACTERS = 3

/**
 * Returns `did you mean a?` or `did you mean a or b?`, or undefined when no name is near. The result may
 * contain control characters of the names: make it printable before you show it.
 * @param isRight is asked only about the nearest candidates
 */
export function didYouMean(
  word: string,
  candidates: readonly string[],
  isRight: (candidate: string) => boolean = () => true,
): string | undefined {
  const names = nearest(word, candidates).filter(isRight)
  const last = names.at(-1)
  if (last === undefined) return undefined
  return `did you mean ${names.length > 1 ? `${names.slice(0, -1).join(', ')} or ` : ''}${last}?`
}

/**
 * Returns the nearest candidates. They differ from the word in at most a third of its letters, or in 2 if
 * that is more. If there is no such candidate, returns the candidates that contain the word.
 */
function nearest(word: string, candidates: readonly string[]): readonly string[] {
  const close = bySpelling(word, candidates)
  return close.length > 0 ? close : containing(word, candidates)
}

function bySpelling(word: string, candidates: readonly string[]): readonly string[] {
  const limit = Math.max(2, Math.floor(word.length / 3))
  const found: { readonly candidate: string; readonly distance: number }[] = []
  for (const candidate of new Set(candidates)) {
    if (Math.abs(candidate.length - word.length) > limit) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    // Without the second condition, a two-letter word would match every other two-letter word.
    if (distance <= limit && distance < word.length) found.push({ candidate, distance })
  }
  found.sort((one, other) => one.distance - other.distance)
  const best = found[0]?.distance ?? 0
  const near = found.filter(({ distance }) => distance === best)
  return near.slice(0, MAX_CANDIDATES).map(({ candidate }) => candidate)
}

function containing(word: string, candidates: readonly string[]): readonly string[] {
  if (word.length < MIN_PART_CHARACTERS) return []
  const part = word.toLowerCase()
  return candidates.filter((candidate) => candidate.toLowerCase().includes(part)).slice(0, MAX_CANDIDATES)
}

/** Counts the letters to insert, delete or replace (Levenshtein), one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
