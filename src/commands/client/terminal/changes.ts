const ESC = '\x1b'
const STRING_END = `${ESC}\\`

/** Numbers of the colours of text, background and cursor. */
const COLOURS = [10, 11, 12]

/** A change that a program makes to a terminal, other than by switching a mode. Sequences are without their ESC. */
export interface Change {
  readonly changes: RegExp
  /** Those sequences that restore the terminal's default. */
  readonly usual: RegExp
  readonly undo: string
  /** To be undone on the screen where it was made: each screen has its own. */
  readonly ofScreen?: true
  /** A soft reset does not change it. */
  readonly outlivesReset?: true
}

export const CHANGES: readonly Change[] = [
  // Style.
  { changes: /^\[[\d;:]*m$/, usual: /^\[0*m$/, undo: `${ESC}[m` },
  // Keypad.
  { changes: /^[=>]$/, usual: /^>$/, undo: `${ESC}>` },
  // The character sets, and which of the first two is shown.
  { changes: /^\([ -/]*[0-~]$/, usual: /^\(B$/, undo: `${ESC}(B` },
  { changes: /^[)-][ -/]*[0-~]$/, usual: /^\)B$/, undo: `${ESC})B` },
  { changes: /^(?:\cN|\cO|n|o)$/, usual: /^\cO$/, undo: '\x0f' },
  // The scroll region. Setting it moves the cursor.
  { changes: /^\[[\d;]*r$/, usual: /^\[r$/, undo: `${ESC}7${ESC}[r${ESC}8` },
  // The shape of the cursor.
  { changes: /^\[\d* q$/, usual: /^\[0* q$/, undo: `${ESC}[0 q` },
  // xterm's modified keys.
  { changes: /^\[>4(?:;\d*)?m$/, usual: /^\[>4(?:;0*)?m$/, undo: `${ESC}[>4m`, outlivesReset: true },
  // kitty's keyboard, changed in place.
  {
    changes: /^\[=\d*(?:;\d*)?u$/,
    usual: /^\[=0*(?:;1?)?u$/,
    undo: `${ESC}[=0u`,
    ofScreen: true,
    outlivesReset: true,
  },
  // A `?` instead of a colour asks for it.
  ...COLOURS.map(colour),
]

/** `10;red;blue` sets 10 and 11. */
function colour(number: number): Change {
  const reset = String.raw`^\]${100 + number};?$`
  const settings = COLOURS.filter((first) => first <= number).map(
    (first) => String.raw`^\]${first};(?:[^;]*;){${number - first}}(?!\?(?:;|$))`,
  )
  return {
    changes: new RegExp([...settings, reset].join('|')),
    usual: new RegExp(reset),
    undo: `${ESC}]${100 + number}${STRING_END}`,
    outlivesReset: true,
  }
}
