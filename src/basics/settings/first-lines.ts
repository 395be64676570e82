/** More are counted only: one lost indentation can make thousands. */
const LONGEST_LIST = 50

/** What is said of many problems. */
export function firstLines(lines: readonly string[], place = ''): string[] {
  const more = lines.length - LONGEST_LIST
  return [...lines.slice(0, LONGEST_LIST), ...(more > 0 ? [`${place}and ${more} more`] : [])]
}
