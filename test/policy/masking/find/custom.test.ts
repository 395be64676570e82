import { expect, it } from 'vitest'
import { customRecognizers } from '../../../../src/policy/masking/custom.ts'
import { subjectOf } from '../../../../src/policy/masking/subject.ts'
import { done } from '../../../../src/policy/work.ts'

/** Where the pattern matches from a place of the text on, as pairs of offsets. */
function matches(regex: string, text: string, from: number): [number, number][] {
  const [recognizer] = done(customRecognizers([{ name: 'T', regex, denyList: [], score: 1 }]))
  const found: [number, number][] = []
  for (const { find } of recognizer?.patterns ?? [])
    Array.from(find(subjectOf(Buffer.from(text)), from, (...place) => void found.push(place)) ?? [])
  return found
}

// A long line is looked through in windows, and the next one begins behind the last match of the one before.
it.each([
  ['the character before a place belongs to a match that begins there', String.raw`\Wyz`, ' yz', 1, [[1, 3]]],
  ['the one before that does not: its match would hide the next', 'xy|yz', 'xyz', 2, [[2, 3]]],
  ['the beginning has none before it', '^ab', 'ab', 0, [[0, 2]]],
])('%s', (_, regex, text, from, expected) => {
  expect(matches(regex, text, from)).toEqual(expected)
})
