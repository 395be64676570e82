export interface Word {
  readonly text: string
  /**
   * Variables and written parameters whose values are in the word. The list also has BARE if one of the
   * values is not quoted.
   */
  readonly uses: readonly string[]
  /** The text of the word before the first of these values, without quotes. */
  readonly lead: string
}

export interface SimpleCommand {
  readonly words: readonly Word[]
  /** Targets of redirections. */
  readonly written: readonly Word[]
}

/** Signs around the number of a written parameter. */
export const OPEN = '\ue000'
export const CLOSE = '\ue001'
/**
 * Marks where an `if`, `with` or `range` begins, branches or ends. A line with this mark may become several
 * lines, so it is not read.
 */
export const FORK = '\ue002'

/**
 * Keeps only the forks inside a line, and replaces other forks by blanks. The other forks are between whole
 * lines, and each of these lines is the same on all branches.
 */
export function withoutWholeLines(text: string): string {
  const blanks = (found: string) => found.replaceAll(FORK, ' ')
  return text
    .replace(/(?<=^|\n)[ \t\ue002]+/g, blanks)
    .replace(/(?<![ \t\ue002])[ \t\ue002]+(?=\n|$)/g, blanks)
}

const BLANK = /(?:[ \t]|\\\n)+/y
const OPERATOR = /&&|\|\||;;?|\|&?|&(?!>)|\n/y
const REDIRECTION = /\d*(?:<<<|>>|>\||<>|>|<)(?:&(?:\d+|-))?|&>>?/y
/** Plain text. Brackets and braces are read only as separate words. */
const PLAIN = /[\w./:@%+,=^~*?!#\]-]+|\\[^\n]|(?<=^|[\s;&|])(?:\[\[?|\{)(?=\s)|(?<=^|[\s;])\}(?=[\s;&|]|$)/y
const SINGLE = /'([^']*)'/y
const USE = /\$(\w+)|\$\{(\w+)(?::?[-?+][\w ./:@%,+=-]*)?\}|\$[?#@*$!]|\ue000(\d+)\ue001/y
const TEXT_IN_DOUBLE = /(?:[^"\\$`\ue000\ue002]|\\[^])+/y

/**
 * Reads the simple commands of a line. bash and dash read such a line in the same way. Returns undefined for
 * a line with anything else: substitutions, arithmetic, arrays, groups in parentheses, here-documents,
 * patterns with brackets.
 */
export function readCommands(line: string): readonly SimpleCommand[] | undefined {
  const commands: { words: Word[]; written: Word[] }[] = []
  let current = { words: [] as Word[], written: [] as Word[] }
  let at = 0
  let isTarget = false
  while (at < line.length) {
    const skipped = match(BLANK, line, at) ?? (line[at] === '#' ? match(/#[^\n]*/y, line, at) : undefined)
    const operator = match(OPERATOR, line, at)
    const redirection = match(REDIRECTION, line, at)
    if (line.startsWith('<<', at) && line[at + 2] !== '<') return undefined
    if (skipped !== undefined) at += skipped.length
    else if (redirection !== undefined) {
      at += redirection.length
      isTarget = !redirection.includes('&') || redirection.startsWith('&')
    } else if (operator !== undefined) {
      if (isTarget) return undefined
      commands.push(current)
      current = { words: [], written: [] }
      at += operator.length
    } else {
      const word = readWord(line, at)
      if (word === undefined) return undefined
      ;(isTarget ? current.written : current.words).push(word)
      isTarget = false
      at += word.text.length
    }
  }
  if (isTarget) return undefined
  return [...commands, current].filter(({ words, written }) => words.length + written.length > 0)
}

function readWord(line: string, from: number): Word | undefined {
  const uses: string[] = []
  let lead = ''
  let isDouble = false
  let at = from
  for (;;) {
    const use = matchAll(USE, line, at)
    const plain = match(isDouble ? TEXT_IN_DOUBLE : PLAIN, line, at)
    const single = isDouble ? undefined : matchAll(SINGLE, line, at)
    if (use !== undefined) {
      const [text, name, braced, parameter] = use
      // A value without quotes is split and globbed into several words. Each of these words may be an option.
      const isBare = !isDouble && parameter === undefined
      uses.push(...[name, braced, parameter && `${OPEN}${parameter}${CLOSE}`].flatMap((one) => one ?? []))
      if (isBare) uses.push(BARE)
      at += text.length
    } else if (plain !== undefined) {
      if (uses.length === 0) lead += plain
      at += plain.length
    } else if (single !== undefined) {
      if (uses.length === 0) lead += single[1] ?? ''
      at += single[0].length
    } else if (line[at] === '"') {
      isDouble = !isDouble
      at++
    } else {
      const isWhole = !isDouble && at > from && (at === line.length || /[\s;&|<>]/.test(line[at] ?? ''))
      return isWhole ? { text: line.slice(from, at), uses, lead } : undefined
    }
  }
}

/** Entry of `uses` that stands for a value without quotes. */
export const BARE = ''

function match(expression: RegExp, text: string, at: number): string | undefined {
  return matchAll(expression, text, at)?.[0]
}

function matchAll(expression: RegExp, text: string, at: number): RegExpExecArray | undefined {
  expression.lastIndex = at
  return expression.exec(text) ?? undefined
}

/**
 * Splits a script into logical lines. Each of them includes its quoted text, its continued lines and its
 * here-documents.
 */
export function logicalLines(text: string): readonly { readonly at: number; readonly text: string }[] {
  const lines: { at: number; text: string }[] = []
  let start = 0
  let at = 0
  let quote = ''
  const end = () => {
    if (at > start) lines.push({ at: start, text: text.slice(start, at) })
    start = at + 1
  }
  for (; at < text.length; at++) {
    const character = text[at] ?? ''
    if (character === '\\' && quote !== "'") at++
    else if (quote !== '') quote = character === quote ? '' : quote
    else if (character === '"' || character === "'") quote = character
    else if (character === '#' && /(?:^|[\s;&|(])$/.test(text.slice(Math.max(at - 1, 0), at)))
      at += (match(/[^\n]*/y, text, at)?.length ?? 1) - 1
    else if (character === '\n' && !/(?:\||&&)[ \t]*$/.test(text.slice(start, at))) {
      const body = hereDocument(text, start, at)
      at += body
      end()
    }
  }
  at = text.length
  end()
  return lines
}

/** Returns the length of the line's here-documents, which are after the line. */
function hereDocument(text: string, start: number, at: number): number {
  let rest = text.slice(at)
  for (const [, mark = ''] of text.slice(start, at).matchAll(/(?<!<)<<(?!<)-?\s*["'\\]?(\w+)/g)) {
    const close = new RegExp(`\\n\\t*${mark}(?=\\n|$)`).exec(rest)
    rest = close === null ? '' : rest.slice(close.index + close[0].length)
  }
  return text.length - at - rest.length
}
