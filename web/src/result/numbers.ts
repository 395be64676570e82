/** Matches a number without leading zeros, because `007` is a code and not a number. */
const NUMBER = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?%?$/i
const MAX_NUMBER_CHARACTERS = 64

export function isNumeric(text: string): boolean {
  return text.length <= MAX_NUMBER_CHARACTERS && NUMBER.test(text)
}

/** Returns undefined for a text that is not a number. */
export function numberIn(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && isNumeric(text) ? parseFloat(text) : undefined
}

/** Matches a day or a time as databases write it, such as `2026-11-28 17:03:47.5+01`. */
const MOMENT =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?$/

/**
 * Returns the seconds since 1970, or undefined for a text that is not a time. A time without a zone is read
 * as UTC.
 */
export function momentIn(text: string | null | undefined): number | undefined {
  const [, day, time = '00:00', zone = 'Z'] = MOMENT.exec(text ?? '') ?? []
  if (day === undefined) return undefined
  const offset = zone === 'Z' || zone === 'UTC' ? 'Z' : zone.replace(/^(...):?(\d\d)?$/, offsetOf)
  const milliseconds = Date.parse(`${day}T${time}${offset}`)
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000
}

function offsetOf(_: string, hours: string, minutes: string | undefined): string {
  return `${hours}:${minutes ?? '00'}`
}
