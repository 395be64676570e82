import { StreamLanguage, type StreamParser } from '@codemirror/language'
import {
  MSSQL,
  MySQL,
  PLSQL,
  PostgreSQL,
  sql,
  SQLite,
  StandardSQL,
  type SQLDialect,
} from '@codemirror/lang-sql'
import type { Extension } from '@codemirror/state'
import { languageOf, type Language } from './language.ts'

const DIALECTS: Readonly<Partial<Record<Language, SQLDialect>>> = {
  postgres: PostgreSQL,
  mysql: MySQL,
  mssql: MSSQL,
  oracle: PLSQL,
  sqlite: SQLite,
  sql: StandardSQL,
}

/** The parsers of other languages, each in a file of its own that is loaded when it is needed. */
const PARSERS: Readonly<Partial<Record<Language, () => Promise<StreamParser<unknown>>>>> = {
  shell: async () => (await import('@codemirror/legacy-modes/mode/shell')).shell,
  python: async () => (await import('@codemirror/legacy-modes/mode/python')).python,
  javascript: async () => (await import('@codemirror/legacy-modes/mode/javascript')).javascript,
  ruby: async () => (await import('@codemirror/legacy-modes/mode/ruby')).ruby,
}

/** Returns the colours of a connection's language. An unknown language has no colours. */
export async function loadLanguage(connection: Parameters<typeof languageOf>[0]): Promise<Extension> {
  const language = languageOf(connection)
  const dialect = DIALECTS[language]
  if (dialect !== undefined) return sql({ dialect })
  const parser = await PARSERS[language]?.()
  return parser === undefined ? [] : StreamLanguage.define(parser)
}
