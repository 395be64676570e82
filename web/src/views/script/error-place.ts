/** The first error that the client of a database has printed. */
export interface SqlError {
  readonly message: string
  /** Line of the script, from 1. Undefined if it is not certain. */
  readonly line: number | undefined
  /** Says the place in words. */
  readonly place: string
}

/** psql counts the line from the beginning of the statement, and quotes it, without its blanks at the beginning. */
const PSQL =
  /^(?:psql:[^\n]*?: )?(?:ERROR|FATAL): {2}(?<message>[^\n]*)\n(?:(?!LINE )[^\n]*\n){0,5}?LINE (?<line>\d+): (?<quoted>[^\n]*)/m
/** The first number is that of the line where the statement begins. The server counts from there, but not comments. */
const MYSQL =
  /^ERROR \d+ \(\w+\) at line (?<begin>\d+): (?<message>[^\n]*?)(?: near '(?<near>[^]*?)' at line (?<line>\d+))?$/m

/** Finds the first error in what a client wrote to stderr, and its place in the script that ran. */
export function sqlErrorIn(stderr: string, script: string): SqlError | undefined {
  const [psql, mysql] = [PSQL.exec(stderr), MYSQL.exec(stderr)]
  if (psql?.groups !== undefined && (mysql === null || psql.index < mysql.index)) {
    const { message = '', line: counted = '', quoted = '' } = psql.groups
    // psql shows a part of a long line between dots.
    const line = lineOf(quoted.replaceAll(/^\.\.\.|\.\.\.$/g, ''), script)
    return { message, line, place: line === undefined ? `line ${counted} of its statement` : `line ${line}` }
  }
  if (mysql?.groups === undefined) return undefined
  const { message = '', begin = '', near = '', line: counted } = mysql.groups
  const line = lineOf(near, script)
  const statement = `the statement that begins at line ${begin}`
  const inStatement = counted === undefined ? statement : `line ${counted} of ${statement}`
  return { message, line, place: line === undefined ? inStatement : `line ${line}` }
}

/** Returns the line on which the quoted text begins, if the script has this text once. */
function lineOf(quoted: string, script: string): number | undefined {
  const text = quoted.trim()
  const at = script.indexOf(text)
  if (text === '' || at === -1 || script.includes(text, at + 1)) return undefined
  return script.slice(0, at).split('\n').length
}

/**
 * Returns the line of the editor that is this line of the script. The script may have been a selection of the text,
 * and the text may be another one by now.
 */
export function lineInText(text: string, script: string, line: number): number | undefined {
  const at = text.indexOf(script)
  if (script === '' || at === -1 || text.includes(script, at + 1)) return undefined
  return text.slice(0, at).split('\n').length + line - 1
}
