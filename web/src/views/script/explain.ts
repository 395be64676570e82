import type { Language } from './language.ts'
import { codeOf } from './literals.ts'

/** Statements that a server can explain. EXPLAIN does not run them. */
const EXPLAINED = /^\s*(?:select|insert|update|delete|with|values|table|merge|replace)\b/i

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
  const code = codeOf(text, language)
  const end = code.trimEnd().replace(/[;\s]+$/, '').length
  const statement = code.slice(0, end)
  if (statement.trim() === '') return { why: 'Select a statement, or write one.' }
  if (statement.includes(';')) return { why: 'Select one statement: the text has several.' }
  if (isUnclear(text, language))
    return { why: 'The text has a backslash or a comment that servers read in different ways.' }
  if (!EXPLAINED.test(statement))
    return { why: 'The server explains only SELECT, INSERT, UPDATE, DELETE and the like.' }
  return { script: `EXPLAIN ${text.slice(0, end)};` }
}

/**
 * Whether a server may end a text or a comment elsewhere than this page does, or the client has a command of its
 * own: `\\g`, a backslash within quotes, `/*!` and `--` without a blank in MySQL.
 */
function isUnclear(text: string, language: Language): boolean {
  return /\\|\/\*!/.test(text) || (language === 'mysql' && /--(?!\s|$)/.test(text))
}
