import { expect, test } from 'vitest'
import { ScreenModes } from '../../../src/commands/client/terminal/screen-modes.ts'

function undoOf(...pieces: string[]): string {
  const modes = new ScreenModes()
  for (const piece of pieces) modes.see(Buffer.from(piece, 'latin1'))
  return modes.undo()
}

const cases: readonly (readonly [string, string, string])[] = [
  ['plain text', 'hello\r\n', ''],
  ['the alternate screen', '\x1b[?1049h', '\x1b[?1049l'],
  ['a hidden cursor', '\x1b[?25l', '\x1b[?25h'],
  ['lines that do not wrap', '\x1b[?7l', '\x1b[?7h'],
  ['the mouse', '\x1b[?1000h\x1b[?1006h', '\x1b[?1000l\x1b[?1006l'],
  ['several modes in one', '\x1b[?1002;1006h', '\x1b[?1002l\x1b[?1006l'],
  ['bracketed paste', '\x1b[?2004h$ ', '\x1b[?2004l'],
  ['application keypad and cursor keys', '\x1b[?1h\x1b=', '\x1b[?1l\x1b>'],
  ['a style', '\x1b[1;31mred', '\x1b[m'],
  ['a colour whose number is 0', '\x1b[38;5;0m', '\x1b[m'],
  ['line drawing', '\x1b(0lqk', '\x1b(B'],
  ['a scroll region, without moving the cursor', '\x1b[2;10r', '\x1b7\x1b[r\x1b8'],
  ['the shape of the cursor', '\x1b[5 q', '\x1b[0 q'],
  ['insertion', '\x1b[4h', '\x1b[4l'],
  ['modified keys', '\x1b[>4;2m', '\x1b[>4m'],
  ["kitty's keyboards", '\x1b[>1u\x1b[>3u', '\x1b[<2u'],
  ['the screen after what belongs to it', '\x1b[?1049h\x1b[?25l', '\x1b[?25h\x1b[?1049l'],
  ['an unfinished sequence', 'x\x1b[3', '\x18'],
  ['an unfinished title', '\x1b]0;title', '\x18'],
]
for (const [title, output, undo] of cases) {
  test(`undoes ${title}`, () => expect(undoOf(output)).toBe(undo))
  test(`undoes ${title}, wherever its bytes are cut`, () =>
    expect(undoOf(...output.split(/(?=[^])/))).toBe(undo))
}

const whole: readonly (readonly [string, string])[] = [
  [
    'vi',
    '\x1b[?1049h\x1b[22;0;0t\x1b[>4;2m\x1b[?1h\x1b=\x1b[?2004h\x1b[1;24r\x1b[?25l\x1b[m\x1b[r\x1b[?2004l\x1b[>4;m\x1b[?1l\x1b>\x1b[?25h\x1b[?1049l',
  ],
  ['a style that ends', '\x1b[1mbold\x1b[0m \x1b[32mgreen\x1b[m'],
  ['kitty', '\x1b[>1u\x1b[<u'],
  ['a title', '\x1b]0;x\x07\x1b]2;y\x1b\\'],
  ['a full reset', '\x1b[?1049h\x1b[31m\x1b[?25l\x1bc'],
  ['modes that mean nothing to us', '\x1b[?12l\x1b[?9999h\x1b[?8452h'],
  ['an aborted sequence', '\x1b[?25\x18l'],
]
for (const [title, output] of whole) {
  test(`leaves the terminal alone after ${title}`, () => expect(undoOf(output)).toBe(''))
}

test('a sequence without an end takes no memory', () => {
  const modes = new ScreenModes()
  modes.see(Buffer.from(`\x1b[${'1;'.repeat(1_000_000)}m\x1b[?25l`))
  expect(modes.undo()).toContain('\x1b[?25h')
})
