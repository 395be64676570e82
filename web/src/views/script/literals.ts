import { isSql, type Language } from './language.ts'

/** A value in a script that can become a parameter of a runbook. */
export interface Literal {
  readonly kind: 'text' | 'number'
  /** As it is written, with its quotes. */
  readonly written: string
  readonly value: string
  /** Where it is written, as offsets of its first character. */
  readonly places: readonly number[]
  /** A name for the parameter, from the text before the value. */
  readonly name: string
}

/** More values would make a long form. */
const MOST = 40
/** Only this much of a script is searched. */
const SEARCHED_CHARACTERS = 256 * 1024

/** Parts of SQL in which a value is not a value: comments, names in quotes, texts with other rules. */
const SQL_SKIPPED =
  /--[^\n]*|\/\*[^]*?(?:\*\/|$)|(?<tag>\$[A-Za-z_]*\$)[^]*?(?:\k<tag>|$)|"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)|\b[A-Za-z]+'(?:[^'\\]|''|\\[^])*(?:'|$)|[A-Za-z_$][\w$]*/
const SQL_TEXT = /'(?:[^'\\]|'')*'(?!')/
/** A text with a backslash: what it means depends on the settings of the server. */
const SQL_UNCLEAR = /'(?:[^'\\]|''|\\[^])*(?:'|$)/
const SHELL_SKIPPED =
  /(?<![^\s;|&()])#[^\n]*|\$'(?:[^'\\]|\\[^])*(?:'|$)|\\[^]|"(?:[^"\\]|\\[^])*(?:"|$)|\$\{[^}]*\}?|\$?[A-Za-z_][\w-]*/
const SHELL_TEXT = /'[^']*'|"[^"$`\\]*"/
const NUMBER = /(?<![\w.$@:-])-?\d{1,18}(?:\.\d{1,18})?(?![\w.:-])/

const SQL = tokens(
  `(?<text>${SQL_TEXT.source})`,
  `(?<unclear>${SQL_UNCLEAR.source})`,
  `(?<number>${NUMBER.source})`,
  SQL_SKIPPED.source,
)
/** MySQL has a third form of comments. */
const MYSQL = tokens('#[^\\n]*', SQL.source)
const SHELL = tokens(`(?<text>${SHELL_TEXT.source})`, `(?<number>${NUMBER.source})`, SHELL_SKIPPED.source)

function tokens(...alternatives: readonly string[]): RegExp {
  return new RegExp(alternatives.join('|'), 'g')
}

function tokensOf(language: Language): RegExp {
  if (language === 'mysql') return MYSQL
  return isSql(language) ? SQL : SHELL
}

/** Returns why the values of a script cannot become parameters; undefined if they can. */
export function whyNoParameters(script: string, language: Language): string | undefined {
  if (script.includes('{{')) return 'It contains {{, which would begin an action of a template.'
  if (!isSql(language) && language !== 'shell')
    return 'The page finds values only in SQL and in scripts of a shell.'
  if (language === 'shell' && script.includes('<<'))
    return 'It has a here-document, in which quotes have another meaning.'
  if (language === 'shell' && /`|"[^"]*\$\(/.test(script))
    return 'It has a command within quotes, in which further quotes have another meaning.'
  return undefined
}

/** Returns a text of SQL in which comments are blank, and texts and quoted names are `?`. All places stay the same. */
export function codeOf(script: string, language: Language): string {
  return script.replaceAll(tokensOf(language), (match) => {
    if (/^[\w$.-]+$/.test(match) && !match.startsWith('--') && !match.startsWith('$')) return match
    return (/^(?:--|#|\/\*)/.test(match) ? ' ' : '?').repeat(match.length)
  })
}

/** Returns the values in the order in which they are first written. Equal values are one. */
export function literalsIn(script: string, language: Language): readonly Literal[] {
  if (whyNoParameters(script, language) !== undefined) return []
  const searched = script.slice(0, SEARCHED_CHARACTERS)
  const found = new Map<string, Literal>()
  const names = new Set<string>()
  for (const match of searched.matchAll(tokensOf(language))) {
    const { text, number } = match.groups ?? {}
    const written = text ?? number
    if (written === undefined || written === "''" || written === '""') continue
    const before = found.get(written)
    if (before === undefined && found.size >= MOST) break
    if (before === undefined) {
      const name = nameFor(searched.slice(Math.max(0, match.index - 80), match.index), names)
      names.add(name)
      found.set(written, {
        ...{ kind: text === undefined ? 'number' : 'text', written, places: [match.index], name },
        value: text === undefined ? written : valueOf(written, language),
      })
    } else found.set(written, { ...before, places: [...before.places, match.index] })
  }
  return [...found.values()]
}

function valueOf(written: string, language: Language): string {
  const inner = written.slice(1, -1)
  return isSql(language) ? inner.replaceAll("''", "'") : inner
}

const NAMED_BEFORE = /([A-Za-z_]\w*)["`\]]?\s*(?:[=<>!~]+|\s|\(|\s(?:in|like|ilike|between)\s*\(?)\s*$/i
/** Words of a language, which name no value. */
const WORDS =
  /^(?:and|or|not|in|like|ilike|between|values|select|set|then|else|when|is|as|echo|case|on|from)$/i

function nameFor(before: string, taken: ReadonlySet<string>): string {
  const named = NAMED_BEFORE.exec(before)?.[1]?.toLowerCase() ?? 'value'
  const base = WORDS.test(named) ? 'value' : named
  if (!taken.has(base)) return base
  let count = 2
  while (taken.has(`${base}_${count}`)) count += 1
  return `${base}_${count}`
}
