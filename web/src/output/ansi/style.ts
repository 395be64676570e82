// The style of a piece is one number, because megabytes of output have a style for every piece.

/** 0 is the page's own colour, 1 to 16 are the terminal's sixteen colours. */
const COLOUR_BITS = 5
const COLOUR_MASK = (1 << COLOUR_BITS) - 1
const BACKGROUND_SHIFT = COLOUR_BITS
const FLAG_SHIFT = 2 * COLOUR_BITS

const FLAGS = [
  'bold',
  'dim',
  'italic',
  'underline',
  'inverse',
  'strike',
  'note',
  'control',
  'stderr',
] as const
type Flag = (typeof FLAGS)[number]

export type Style = number

export const PLAIN: Style = 0

export function withFlag(style: Style, flag: Flag): Style {
  return style | bit(flag)
}

export function hasFlag(style: Style, flag: Flag): boolean {
  return (style & bit(flag)) !== 0
}

function withoutFlag(style: Style, ...flags: readonly Flag[]): Style {
  return flags.reduce((rest, flag) => rest & ~bit(flag), style)
}

function bit(flag: Flag): number {
  return 1 << (FLAG_SHIFT + FLAGS.indexOf(flag))
}

function withForeground(style: Style, colour: number): Style {
  return (style & ~COLOUR_MASK) | colour
}

function withBackground(style: Style, colour: number): Style {
  return (style & ~(COLOUR_MASK << BACKGROUND_SHIFT)) | (colour << BACKGROUND_SHIFT)
}

/** Returns class names. On a coloured background, the text is black or white to be readable. */
export function classesOf(style: Style): string {
  const names: string[] = FLAGS.filter((flag) => hasFlag(style, flag)).map((flag) => `is-${flag}`)
  const foreground = style & COLOUR_MASK
  const background = (style >> BACKGROUND_SHIFT) & COLOUR_MASK
  if (background > 0) names.push(`on-${background - 1}`)
  else if (foreground > 0) names.push(`colour-${foreground - 1}`)
  return names.join(' ')
}

/** Applies the numbers of `ESC [ ... m`. An unknown number changes nothing. */
export function afterCodes(style: Style, codes: readonly number[]): Style {
  let next = style
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0
    if (code === 38 || code === 48) {
      const { colour, used } = extended(codes.slice(index + 1))
      next = code === 38 ? withForeground(next, colour) : withBackground(next, colour)
      index += used
    } else next = afterCode(next, code)
  }
  return next
}

const SET: Readonly<Partial<Record<number, Flag>>> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
  7: 'inverse',
  9: 'strike',
}
const CLEARED: Readonly<Partial<Record<number, readonly Flag[]>>> = {
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['underline'],
  27: ['inverse'],
  29: ['strike'],
}

function afterCode(style: Style, code: number): Style {
  const flag = SET[code]
  if (flag !== undefined) return withFlag(style, flag)
  const cleared = CLEARED[code]
  if (cleared !== undefined) return withoutFlag(style, ...cleared)
  if (code === 0) return PLAIN
  if (code === 39) return withForeground(style, 0)
  if (code === 49) return withBackground(style, 0)
  if (code >= 30 && code <= 37) return withForeground(style, code - 29)
  if (code >= 90 && code <= 97) return withForeground(style, code - 81)
  if (code >= 40 && code <= 47) return withBackground(style, code - 39)
  if (code >= 100 && code <= 107) return withBackground(style, code - 91)
  return style
}

/** Reads `5;N` or `2;R;G;B` as the nearest of the sixteen colours, which are readable in both themes. */
function extended(rest: readonly number[]): { colour: number; used: number } {
  const [kind, a = 0, b = 0, c = 0] = rest
  if (kind === 5) return { colour: indexed(a), used: 2 }
  if (kind === 2) return { colour: nearest(a, b, c), used: 4 }
  return { colour: 0, used: rest.length }
}

function indexed(index: number): number {
  if (index < 16) return index + 1
  if (index >= 232) return index >= 244 ? 8 : 9
  const cube = index - 16
  const level = (part: number) => (part === 0 ? 0 : 55 + 40 * part)
  return nearest(level(Math.floor(cube / 36) % 6), level(Math.floor(cube / 6) % 6), level(cube % 6))
}

/** Red, green and blue are on or off; a strong part makes the colour bright. */
function nearest(red: number, green: number, blue: number): number {
  const strongest = Math.max(red, green, blue)
  if (strongest < 48) return 1
  const has = (part: number) => (part > strongest * 0.6 ? 1 : 0)
  const base = has(red) + 2 * has(green) + 4 * has(blue)
  return base + 1 + (strongest > 210 ? 8 : 0)
}
