import type { Language } from './language.ts'
import { codeOf } from './literals.ts'

/**
 * Statements that a server can explain, also after comments. EXPLAIN does not run them. A comment within a comment does not match: PostgreSQL nests
 * them, so that another statement would begin after it than on other servers.
 */
const EXPLAINED =
  /^(?:\s|--[^\n]*\n|#[^\n]*\n|\/\*(?:(?!\/\*|\*\/)[^])*\*\/)*(?:select|insert|update|delete|with|values|table|merge|replace)\b/i

export function canExplain(language: Language): boolean {
  return language === 'postgres' || language === 'mysql'
}

/**
 * Returns the script that asks the server to explain a statement, or why there is none. Two statements would
 * run the second one, and so would `EXPLAIN ANALYZE` run the statement.
 */
export function explainScript(
  text: string,
  language: Language,
): { readonly script: string } | { readonly why: string } {
  const end = codeOf(text, language)
    .trimEnd()
    .replace(/[;\s]+$/, '').length
  const sent = text.slice(0, end)
  if (codeOf(sent, language).trim() === '') return { why: 'Select a statement, or write one.' }
  if (codeOf(sent, language).includes(';')) return { why: 'Select one statement: the text has several.' }
  if (isUnclear(text, language) || (sent.includes(';') && OF_ONE_SERVER.test(sent)))
    return { why: 'The text has a backslash, a quote or a comment that servers read in different ways.' }
  if (!EXPLAINED.test(sent))
    return { why: 'The server explains only SELECT, INSERT, UPDATE, DELETE and the like.' }
  return { script: `EXPLAIN ${sent};` }
}

/** The client has commands of its own, or MySQL runs the text of the comment (MariaDB too: `/*M!`). */
const COMMANDS = /\\|\/\*M?!/i
/** Some clients end a line or the script there. */
const CONTROLS = /[^\P{Cc}\t\n]/u
/** A client may take `delimiter` for its command, which changes the end of statements; `--` without a blank is no comment. */
const MYSQL_COMMANDS = /delimiter|--(?![ \t\n]|$)/i
/**
 * Servers differ in where these end: comments within comments, `$1a$`, a name that ends in `$$`, a backtick that is
 * an operator. That matters only where the text has a `;`, which one of them would take for the end of a statement.
 */
const OF_ONE_SERVER = /[$`#]|\/\*/

/** Whether a client may find a command of its own in the text, or a server more than a comment in a comment. */
function isUnclear(text: string, language: Language): boolean {
  if (COMMANDS.test(text) || CONTROLS.test(text)) return true
  return language === 'mysql' && MYSQL_COMMANDS.test(text)
}
