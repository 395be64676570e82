/** A place in a text. */
interface Place {
  readonly start: number
  readonly end: number
}

/** A place in the text that people see, in UTF-16 units, and the parameters whose values are there. */
export interface ShownMark extends Place {
  readonly names: readonly string[]
}

/**
 * Moves places, counted in bytes, to the text that people see, whose secrets are replaced. Returns no places if a
 * secret or a character lies across the edge of a place, because then no place in that text is certain.
 */
export function shownPlaces<P extends Place>(
  script: Buffer,
  places: readonly P[],
  shown: (bytes: Buffer) => Buffer,
): P[] {
  if (places.length === 0) return []
  let whole = ''
  let from = 0
  const add = (until: number): number => {
    whole += shown(script.subarray(from, until)).toString()
    from = until
    return whole.length
  }
  const marks = places.map((place) => ({ ...place, start: add(place.start), end: add(place.end) }))
  add(script.length)
  return whole === shown(script).toString() ? marks : []
}
