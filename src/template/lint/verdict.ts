import { charactersIn, firstOutside, intersection, union, WORD, type Characters } from './characters.ts'
import type { Escaping, Flow } from './flow.ts'
import { SECOND_READER, startsCommand, type Language, type TextPlace, type PlaceKind } from './place.ts'

const SHELL_WORD = union(WORD, charactersIn('./:@%+,-'))
const COMMENT = union(WORD, charactersIn(' .,:@_-'))
/** Characters that are harmless inside quotes in every language. */
const QUOTED = union(WORD, charactersIn(' .,:/@%+=-é'))

/** Characters that stay data in a place, by language. */
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

/** For an unknown language: letters and digits, which no language takes for more than a word. */
const ANY_LANGUAGE: Characters = WORD

const ESCAPES: Readonly<Record<Language, readonly Escaping[]>> = {
  shell: ['shellquote'],
  sql: ['sqlquote', 'sqlident'],
  python: [],
}

/** After a pipe, perhaps through another command. */
const PIPED = new RegExp(`\\|&?\\s*(?:(?:\\w+=\\S*|-\\S+)\\s+)*(?:[\\w./-]*/)?(?:${SECOND_READER.source})`)

/** A place, and what follows it in the script up to the end of the command. */
export interface UsePosition extends TextPlace {
  readonly after: string
}

/** Why a value could become code in its place; undefined when it stays data. */
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
  if (flow.characters === undefined) return 'nothing limits its value'
  return outside(flow.characters, allowed(language, place.kind)) ?? position
}

function allowed(language: Language | undefined, kind: PlaceKind): Characters {
  return language === undefined ? ANY_LANGUAGE : HARMLESS[language][kind]
}

function outside(characters: Characters, harmless: Characters): string | undefined {
  const first = firstOutside(characters, harmless)
  return first === undefined ? undefined : `its pattern admits ${first}`
}

/** A sign may follow anything but another sign: two of them begin a comment in SQL. */
function isNumberPlace(
  { kind, before, isStatementStart }: TextPlace,
  language: Language | undefined,
): boolean {
  if (/[-$:@\\]$/.test(before) || kind === 'comment') return false
  if (language === 'shell') return kind !== 'unknown' && !startsCommand(before)
  return language !== 'sql' || !isStatementStart
}

/** Places where even a single harmless word is obeyed. */
function badPosition(flow: Flow, place: UsePosition, language: Language | undefined): string | undefined {
  const { kind, before, isStatementStart } = place
  if (/[$\\]$/.test(before)) return `it follows ${before.at(-1) ?? ''}`
  const isReadAgain = SECOND_READER.test(before) || (language === 'shell' && PIPED.test(place.after))
  if (language !== 'sql' && isReadAgain) return 'another program may read this line as code'
  if (language === undefined && startsCommand(before)) return 'it stands where a command may begin'
  if (language === 'shell') {
    const isLineStart = before.slice(before.lastIndexOf('\n') + 1).trim() === ''
    const isFirst = kind === 'unknown' ? isLineStart : kind === 'plain' && startsCommand(before)
    return isFirst ? 'it stands where a command begins' : undefined
  }
  if (language === 'sql' && kind === 'plain') {
    if (/[:@]$/.test(before)) return `it follows ${before.at(-1) ?? ''}`
    return isStatementStart && flow.escapedBy === undefined ? 'it stands where a statement begins' : undefined
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
  return kind === 'plain' ? undefined : `${by} holds outside of quotes only, where the script can be followed`
}

/** A value with its own quotes. Outside of quotes they are real; inside they are a part of the value. */
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
    : `${function_} puts its quotes into others, or into what cannot be followed`
}
