const ESC = '\x1b'
const STRING_END = `${ESC}\\`

/** Their numbers: text, background, cursor. */
const COLOURS = [10, 11, 12]

/** A way in which a program changes a terminal, other than by modes that are switched. Sequences stand without their ESC. */
export interface Change {
  readonly changes: RegExp
  /** Those of them that bring back what a terminal begins with. */
  readonly usual: RegExp
  readonly undo: string
  /** Undone on the screen on which it was made: each has its own. */
  readonly ofScreen?: true
  /** A soft reset leaves it as it is. */
  readonly outlivesReset?: true
}

export const CHANGES: readonly Change[] = [
  // Style.
  { changes: /^\[[\d;:]*m$/, usual: /^\[0*m$/, undo: `${ESC}[m` },
  // Keypad.
  { changes: /^[=>]$/, usual: /^>$/, undo: `${ESC}>` },
  // The sets of letters, and which of the first two is shown.
  { changes: /^\([ -/]*[0-~]$/, usual: /^\(B$/, undo: `${ESC}(B` },
  { changes: /^[)-][ -/]*[0-~]$/, usual: /^\)B$/, undo: `${ESC})B` },
  { changes: /^(?:\cN|\cO|n|o)$/, usual: /^\cO$/, undo: '\x0f' },
  // The region that scrolls. Setting it moves the cursor.
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
  // In place of a colour, `?` asks for it.
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
