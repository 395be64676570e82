import type { ByteString } from '../../golang/text/byte-string.ts'
import type { Language } from './place.ts'
import type { Use } from './uses.ts'

interface BareUse {
  readonly at: number
  readonly text: string
  /** A variable of the environment. */
  readonly variable: string
}

const GETENV = /^[ \t]*\\getenv[ \t]+(\w+)[ \t]+(\w+)/gm

/** Finds `:name` in a script of psql, for variables that the script took from the environment. */
export function bareUses(source: ByteString): readonly BareUse[] {
  const taken = new Map([...source.matchAll(GETENV)].map(([, name = '', variable = '']) => [name, variable]))
  return [...source.matchAll(/(?<![:\w]):(\w+)/g)].flatMap(({ 0: text, 1: name = '', index }) => {
    const variable = taken.get(name)
    return variable === undefined || isAside(source, index) ? [] : [{ at: index, text, variable }]
  })
}

/** Whether psql ignores `:name` here: in a comment, or between quotes that begin on the same line. */
function isAside(source: ByteString, at: number): boolean {
  const line = source.slice(source.lastIndexOf('\n', at) + 1, at)
  return line.includes('--') || line.split("'").length % 2 === 0
}

/** Forms that run a text as code or as a program, in languages whose variables are not followed. */
const STARTING: Readonly<Partial<Record<Language, RegExp>>> = {
  sql: /\\!|\\(?:o|g|w|i|ir|include|copy|gexec|setenv)\b[^\n]*|`/,
  python:
    /\b(?:eval|exec\w*|compile|system|popen|Popen|subprocess|spawn\w*|__import__|import_module|pickle|marshal|yaml|getattr|globals|format|ctypes|runpy|code)\b/,
}

/**
 * Places where a script may make code of a variable's value, which are not judged. In an unknown language that is the
 * whole text.
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
      : 'here a text may become code, or a program starts that gets the variables'
  return at < 0 ? [] : [{ at, name, problem, isCode: false }]
}
