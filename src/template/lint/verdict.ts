import type { CallNode, TemplateStatement } from '../../golang/template/syntax/ast.ts'
import { Variables } from '../../golang/template/syntax/reader.ts'
import { type ByteString, decodeText } from '../../golang/text/byte-string.ts'
import { discoverInputs, type Input } from '../inputs.ts'
import {
  anything,
  type Characters,
  charactersIn,
  commandFlow,
  type Escaping,
  firstOutside,
  type Flow,
  intersection,
  NUMBER,
  union,
  WORD,
} from './flow.ts'
import { type Language, type PlaceKind, SECOND_READER, startsCommand, type TextPlace } from './place.ts'
import type { Use } from './uses.ts'

const SHELL_WORD = union(WORD, charactersIn('./:@%+,-'))
const COMMENT = union(WORD, charactersIn(' .,:@_-'))
/** Characters that are harmless inside quotes in every language. */
const QUOTED = union(WORD, charactersIn(' .,:/@%+=-é'))

/**
 * Characters that cannot turn a value into code. They depend on the language, and on the place of the value:
 * in plain text, in quotes or in a comment.
 */
const HARMLESS: Readonly<Record<Language, Readonly<Record<PlaceKind, Characters>>>> = {
  shell: {
    plain: SHELL_WORD,
    single: QUOTED,
    double: QUOTED,
    comment: COMMENT,
    unknown: SHELL_WORD,
  },
  sql: {
    plain: WORD,
    single: QUOTED,
    double: QUOTED,
    comment: COMMENT,
    unknown: WORD,
  },
  python: {
    plain: new Set(),
    single: QUOTED,
    double: QUOTED,
    comment: COMMENT,
    unknown: new Set(),
  },
}

/** In every language, letters and digits are only a word. */
const ANY_LANGUAGE: Characters = WORD

const ESCAPES: Readonly<Record<Language, readonly Escaping[]>> = {
  shell: ['shellquote'],
  sql: ['sqlquote', 'sqlident'],
  python: [],
}

/**
 * Matches a pipe and the program that reads from it, if the program may run its input as code (see
 * SECOND_READER). Between the pipe and the program's name, variables and options may come.
 */
const PIPED = new RegExp(`\\|&?\\s*(?:(?:\\w+=\\S*|-\\S+)\\s+)*(?:[\\w./-]*/)?(?:${SECOND_READER.source})`)

/** `after` is the text up to the end of the command. */
interface UsePosition extends TextPlace {
  readonly after: string
}

/** Returns why a value could become code. Returns undefined if the value stays data. */
export function problemWith(
  flow: Flow,
  place: UsePosition,
  language: Language | undefined,
): string | undefined {
  if (flow.from.size === 0) return undefined
  const position = badPosition(flow, place, language)
  if (flow.escapedBy !== undefined) return position ?? escapeProblem(flow.escapedBy, place, language)
  if (flow.isNumber === true && isNumberPlace(place, language)) return undefined
  if (flow.marks !== undefined) return markedProblem(flow.marks, flow, place, language) ?? position
  if (flow.characters === undefined) return 'nothing limits the value'
  return outside(flow.characters, allowed(language, place.kind)) ?? position
}

function allowed(language: Language | undefined, kind: PlaceKind): Characters {
  return language === undefined ? ANY_LANGUAGE : HARMLESS[language][kind]
}

function outside(characters: Characters, harmless: Characters): string | undefined {
  const first = firstOutside(characters, harmless)
  return first === undefined ? undefined : `the pattern admits ${first}`
}

/**
 * Returns whether a number, with or without a sign, is harmless here. In SQL, two minus signs begin a
 * comment.
 */
function isNumberPlace(
  { kind, before, isStatementStart }: TextPlace,
  language: Language | undefined,
): boolean {
  if (/[-$:@\\]$/.test(before) || kind === 'comment') return false
  if (language === 'shell') return kind !== 'unknown' && !startsCommand(before)
  return language !== 'sql' || !isStatementStart
}

/** Returns why even a single harmless word is code in its place. */
function badPosition(flow: Flow, place: UsePosition, language: Language | undefined): string | undefined {
  const { kind, before, isStatementStart } = place
  if (/[$\\]$/.test(before)) return `the value follows ${before.at(-1) ?? ''}`
  const isReadAgain = SECOND_READER.test(before) || (language === 'shell' && PIPED.test(place.after))
  if (language !== 'sql' && isReadAgain) return 'another program may read this line as code'
  if (language === undefined && startsCommand(before))
    return 'the value is in a place where a command may begin'
  if (language === 'shell') {
    const isLineStart = before.slice(before.lastIndexOf('\n') + 1).trim() === ''
    const isFirst = kind === 'unknown' ? isLineStart : kind === 'plain' && startsCommand(before)
    return isFirst ? 'the value is in a place where a command begins' : undefined
  }
  if (language === 'sql' && kind === 'plain') {
    if (/[:@]$/.test(before)) return `the value follows ${before.at(-1) ?? ''}`
    return isStatementStart && flow.escapedBy === undefined
      ? 'the value is in a place where a statement begins'
      : undefined
  }
  return undefined
}

function escapeProblem(
  by: Escaping,
  { kind }: TextPlace,
  language: Language | undefined,
): string | undefined {
  if (language === undefined || !ESCAPES[language].includes(by)) {
    return `${by} is not for ${language ?? 'an unknown kind of file'}`
  }
  return kind === 'plain'
    ? undefined
    : `${by} protects only outside of quotes, in a place that the linter can follow`
}

/** Judges a value that has quotes of its own. Inside other quotes, its own quotes are a part of the value. */
function markedProblem(
  marks: "'" | '"',
  { characters }: Flow,
  { kind }: TextPlace,
  language: Language | undefined,
): string | undefined {
  const function_ = marks === "'" ? 'squote' : 'dquote'
  if (characters === undefined) return `${function_} quotes and does not escape`
  if (language !== undefined && kind === 'plain') {
    return outside(characters, HARMLESS[language][marks === "'" ? 'single' : 'double'])
  }
  const asText = union(characters, charactersIn(marks))
  const harmless = allowed(language, kind)
  return intersection(asText, harmless).size === asText.size
    ? undefined
    : `${function_} adds quotes inside other quotes, or in a place that the linter cannot follow`
}

/** Functions that leave the parameter's value as it is. */
const KEEPING = new Set([
  ...['required', 'default', 'pattern', 'type', 'options', 'description', 'placeholder'],
  ...['minlength', 'maxlength', 'order'],
])

/** Types whose form allows only these characters. */
const FORMS: Readonly<Partial<Record<string, Characters>>> = {
  number: NUMBER,
  date: charactersIn('0123456789-'),
  time: charactersIn('0123456789:'),
}

/**
 * Returns what is true for every use of a parameter. A value that breaks the rules of a top-level action ends
 * the rendering, so these rules count everywhere. If `portable` is true, only patterns count, because hoop's
 * gateway enforces no other rules.
 */
export function declaredFlows(
  statements: readonly TemplateStatement[],
  portable: boolean,
): ReadonlyMap<string, Flow> {
  const flows = new Map<string, Flow>()
  const narrow = (name: string, by: (known: Flow) => Flow) => {
    flows.set(name, by(flows.get(name) ?? anything(name)))
  }
  for (const statement of statements) {
    if (statement.kind === 'action') narrowByPatterns(statement.pipeline.commands, narrow)
  }
  if (portable) return flows
  for (const input of discoverInputs(statements).declarations) {
    narrow(input.name, (known) => narrowed(known, input))
  }
  return flows
}

type Narrow = (name: string, by: (known: Flow) => Flow) => void

function narrowByPatterns([first, ...others]: readonly CallNode[], narrow: Narrow): void {
  const field = first?.words.length === 1 ? first.words[0] : undefined
  if (field?.kind !== 'field' || field.names.length !== 1) return
  const name = decodeText(field.names[0] ?? '')
  for (const command of others) {
    const [callee, argument] = command.words
    if (callee.kind !== 'identifier' || !KEEPING.has(callee.name)) return
    if (callee.name === 'pattern' && argument?.kind === 'string')
      narrow(name, (known) => through(command, known))
  }
}

function through(command: CallNode, known: Flow): Flow {
  return commandFlow(command, known, {
    parameters: new Map(),
    variables: new Variables<Flow>(),
    dot: undefined,
    onVariable: () => undefined,
  })
}

function narrowed(known: Flow, { options = [], type }: Input): Flow {
  // The value is one of the options, which the author wrote.
  if (options.length > 0) return { from: new Set(), characters: new Set() }
  const form = FORMS[type]
  if (form === undefined || known.from.size === 0) return known
  return {
    ...known,
    characters: known.characters === undefined ? form : intersection(known.characters, form),
    isNumber: known.isNumber === true || type === 'number',
  }
}

interface BareUse {
  readonly at: number
  readonly text: string
  /** Name of the environment variable. */
  readonly variable: string
}

const GETENV = /^[ \t]*\\getenv[ \t]+(\w+)[ \t]+(\w+)/gm

/** Finds `:name` of psql if the script has read this variable from the environment. */
export function bareUses(source: ByteString): readonly BareUse[] {
  const taken = new Map([...source.matchAll(GETENV)].map(([, name = '', variable = '']) => [name, variable]))
  return [...source.matchAll(/(?<![:\w]):(\w+)/g)].flatMap(({ 0: text, 1: name = '', index }) => {
    const variable = taken.get(name)
    return variable === undefined || isAside(source, index) ? [] : [{ at: index, text, variable }]
  })
}

/**
 * Returns whether psql ignores `:name` here, because it is in a comment or in quotes that begin on the same
 * line.
 */
function isAside(source: ByteString, at: number): boolean {
  const line = source.slice(source.lastIndexOf('\n', at) + 1, at)
  return line.includes('--') || line.split("'").length % 2 === 0
}

/** Forms that run a text as code or start a program, in languages whose variables are not followed. */
const STARTING: Readonly<Partial<Record<Language, RegExp>>> = {
  sql: /\\!|\\(?:o|g|w|i|ir|include|copy|gexec|setenv)\b[^\n]*|`/,
  python:
    /\b(?:eval|exec\w*|compile|system|popen|Popen|subprocess|spawn\w*|__import__|import_module|pickle|marshal|yaml|getattr|globals|format|ctypes|runpy|code)\b/,
}

/**
 * Reports the first place that may run a variable's value as code. In an unknown language, it reports the
 * beginning of the text.
 */
export function unfollowedUses(
  text: string,
  values: ReadonlySet<string>,
  language: Language | undefined,
): readonly Use[] {
  const [name] = values
  if (name === undefined) return []
  const starting = language === undefined ? undefined : STARTING[language]
  const at = starting === undefined ? 0 : text.search(starting)
  const problem =
    starting === undefined
      ? 'the linter does not know what a file of this kind does with variables'
      : 'this may run the value as code, or start a program that gets the variable'
  return at < 0 ? [] : [{ at, name, problem, isCode: false }]
}
