import { expect, test } from 'vitest'
import { EscapeKeys } from '../../../src/commands/client/terminal/own-terminal.ts'

/** What is sent, and the words for this program in between. */
function typed(...pieces: string[]): string[] {
  const keys = new EscapeKeys()
  const actions = pieces.flatMap((piece) => keys.read(Buffer.from(piece)))
  return actions.map((action) => (action.kind === 'send' ? action.data.toString() : `<${action.kind}>`))
}

const cases: readonly (readonly [string, string[], string[]])[] = [
  ['keys pass as they are', ['ls -la\r'], ['ls -la\r']],
  ['a tilde and a dot leave at the very beginning', ['~.'], ['<leave>']],
  ['they leave after Enter, key by key', ['ls', '\r', '~', '.'], ['ls', '\r', '<leave>']],
  ['they leave after a line feed', ['x\n~.'], ['x\n', '<leave>']],
  ['what is typed behind them is lost', ['~.rm -rf'], ['<leave>']],
  ['in the middle of a line they are text', ['cd ~.', 'x'], ['cd ~.', 'x']],
  ['two tildes are one', ['~~', '.'], ['~', '.']],
  ['a tilde before another key is typed with it', ['~', 'a'], ['~a']],
  ['a tilde before Enter is typed, and a line begins', ['~\r~.'], ['~\r', '<leave>']],
  ['a question mark asks for help, and a line still begins', ['~?~.'], ['<help>', '<leave>']],
  ['a held tilde is not sent', ['~'], []],
  [
    'a pasted text cannot leave',
    ['\x1b[200~a\r~.b\x1b[201~', '\r~.'],
    ['\x1b[200~a\r~.b\x1b[201~', '\r', '<leave>'],
  ],
  [
    'not even when the mark is cut',
    ['\x1b[20', '0~\r', '~.', '\x1b[201', '~\r~.'],
    ['\x1b[20', '0~\r', '~.', '\x1b[201', '~\r', '<leave>'],
  ],
]
for (const [title, input, output] of cases) {
  test(title, () => expect(typed(...input)).toEqual(output))
}

test('every byte passes, a megabyte of them too', () => {
  const paste = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, index) => (index * 7) % 256))
  const sent = new EscapeKeys().read(Buffer.concat([Buffer.from('x'), paste]))
  const bytes = Buffer.concat(sent.map((action) => (action.kind === 'send' ? action.data : Buffer.alloc(0))))
  expect(bytes.equals(Buffer.concat([Buffer.from('x'), paste]))).toBe(true)
})
