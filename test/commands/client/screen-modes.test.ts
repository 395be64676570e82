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
  ['a locked keyboard', '\x1b[2h', '\x1b[2l'],
  ['line feeds that return the carriage', '\x1b[20h', '\x1b[20l'],
  ['two modes in one that are not private', '\x1b[2;4h', '\x1b[2l\x1b[4l'],
  ['two colours in one', '\x1b]10;red;blue\x07', '\x1b]110\x1b\\\x1b]111\x1b\\'],
  ['a colour beside one that was asked for', '\x1b]10;?;blue\x07', '\x1b]111\x1b\\'],
  ['margins', '\x1b[?69h', '\x1b[?69l'],
  ['line drawing in the second set of letters', '\x1b)0\x0elqk', '\x1b)B\x0f'],
  ["kitty's keyboard, changed in place", '\x1b[?1049h\x1b[=5u', '\x1b[=0u\x1b[?1049l'],
  ['the colours of text and background', '\x1b]10;red\x07\x1b]11;#fff\x1b\\', '\x1b]110\x1b\\\x1b]111\x1b\\'],
  ['a colour of which a soft reset knows nothing', '\x1b]12;red\x07\x1b[31m\x1b[!p', '\x1b]112\x1b\\'],
  ['C1 controls in UTF-8', '\xc2\x9b?25l\xc2\x9d11;red\xc2\x9c', '\x1b[?25h\x1b]111\x1b\\'],
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
  ['letters that shift out and in', '\x0elqk\x0f'],
  ['a colour that was reset, and one that was asked for', '\x1b]11;red\x07\x1b]111\x07\x1b]10;?\x1b\\'],
  ['a letter of UTF-8 that ends as a C1 control does', '\xc3\x9b?25l'],
  ['a keyboard changed in place and back', '\x1b[=5u\x1b[=0u'],
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
