import type { RenderedOrigin } from './session-request.ts'

/** A place in the text that people see, in UTF-16 units, and the parameters whose values are there. */
export interface ShownMark {
  readonly start: number
  readonly end: number
  readonly names: readonly string[]
}

/**
 * Moves the places of values to the text that people see, whose secrets are replaced. Returns no places if a
 * secret or a character lies across the edge of a place, because then no place in that text is certain.
 */
export function shownPlaces(
  script: Buffer,
  { places }: Pick<RenderedOrigin, 'places'>,
  shown: (bytes: Buffer) => Buffer,
): ShownMark[] {
  if (places.length === 0) return []
  let whole = ''
  let from = 0
  const add = (until: number): number => {
    whole += shown(script.subarray(from, until)).toString()
    from = until
    return whole.length
  }
  const marks = places.map(({ start, end, names }) => ({ start: add(start), end: add(end), names }))
  add(script.length)
  return whole === shown(script).toString() ? marks : []
}
