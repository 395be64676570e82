import { expect, test } from 'vitest'
import { ScreenReset } from '../../../src/commands/client/terminal/own-terminal.ts'

function resetAfter(...pieces: string[]): string {
  const reset = new ScreenReset()
  for (const piece of pieces) reset.see(Buffer.from(piece, 'latin1'))
  return reset.sequence
}

const byByte = (output: string) => output.split(/(?=[^])/)

/** Leaves the alternate screen, by one mode or another. */
const LEAVES = /\[\?(?:47|1047|1049)l/g

const VI = '\x1b[?1049h\x1b[22;0;0t\x1b[>4;2m\x1b[?1h\x1b=\x1b[?2004h\x1b[1;24r\x1b[?25l\x1b[m'
const END_OF_VI = '\x1b[r\x1b[?2004l\x1b[>4;m\x1b[?1l\x1b>\x1b[?25h\x1b[?1049l'

test('nothing is written after plain text', () => expect(resetAfter('hello\r\n', 'ü\r\n')).toBe(''))

for (const [what, output] of [
  ['styles', '\x1b[1mbold\x1b[0m'],
  ['shifted letters', '\x0elqk'],
  ['vi', VI],
  ['a sequence that was cut off', 'x\x1b[3'],
] as const)
  test(`mouse, cursor, pastes and style are reset after ${what}`, () => {
    for (const sequence of ['1016l', '7;25h', '2004;2026l', '\x1b[m', '\x1b>', '\x0f'])
      expect(resetAfter(output)).toContain(sequence)
    expect(resetAfter(output).startsWith('\x18')).toBe(true)
  })

for (const [what, output, leaves] of [
  ['vi that was cut off', VI, ['[?1049l']],
  ['vi that ended', VI + END_OF_VI, []],
  ['vi that ended and came again', VI + END_OF_VI + VI, ['[?1049l']],
  ['an old alternate screen', '\x1b[?47h', ['[?47l']],
  ['one among other modes', '\x1b[?25;1047;7h', ['[?1047l']],
  ['a full reset', '\x1b[?1049h\x1bc', []],
  ['much output on it', `\x1b[?1049h${'x'.repeat(1000)}`, ['[?1049l']],
  ['a mode that begins alike', '\x1b[?10490h\x1b[1049h', []],
] as const) {
  test(`the alternate screen is left only where it is shown: ${what}`, () =>
    expect(resetAfter(output).match(LEAVES) ?? []).toEqual(leaves))
  test(`the same wherever bytes are cut: ${what}`, () =>
    expect(resetAfter(...byByte(output))).toBe(resetAfter(output)))
}

test('an endless row of numbers holds nobody up', () => {
  expect(resetAfter(`\x1b[?1049h\x1b[?${'47;'.repeat(200_000)}x`).match(LEAVES)).toEqual(['[?1049l'])
})

test('the alternate screen is left after what belongs to it, before all the rest', () => {
  expect(resetAfter(VI)).toMatch(/^.*\[<9u.*\[\?1049l.*\[<9u.*\[\?7;25h/)
})
