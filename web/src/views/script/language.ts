import type { Connection } from '../../api/types.ts'

export type Language =
  | 'postgres'
  | 'mysql'
  | 'mssql'
  | 'oracle'
  | 'sqlite'
  | 'sql'
  | 'shell'
  | 'python'
  | 'javascript'
  | 'ruby'
  | 'other'

const BY_TYPE: Readonly<Record<string, Language>> = {
  postgres: 'postgres',
  'postgres-pgx': 'postgres',
  mysql: 'mysql',
  mssql: 'mssql',
  oracledb: 'oracle',
  sqlite: 'sqlite',
  sqlite3: 'sqlite',
  database: 'sql',
  mongodb: 'javascript',
  nodejs: 'javascript',
  node: 'javascript',
  python: 'python',
  django: 'python',
  ruby: 'ruby',
  'ruby-on-rails': 'ruby',
  bash: 'shell',
  shell: 'shell',
  ssh: 'shell',
  custom: 'shell',
  'command-line': 'shell',
}

const WORDS: Readonly<Record<Language, string>> = {
  postgres: 'SQL (PostgreSQL)',
  mysql: 'SQL (MySQL)',
  mssql: 'SQL (SQL Server)',
  oracle: 'SQL (Oracle)',
  sqlite: 'SQL (SQLite)',
  sql: 'SQL',
  shell: 'shell',
  python: 'Python',
  javascript: 'JavaScript',
  ruby: 'Ruby',
  other: 'text',
}

/** Returns the language of the scripts of a connection. Most connections without a type run a shell. */
export function languageOf({ type, subtype }: Pick<Connection, 'type' | 'subtype'>): Language {
  return BY_TYPE[subtype] ?? BY_TYPE[type] ?? 'other'
}

export function wordOf(language: Language): string {
  return WORDS[language]
}

export function isSql(language: Language): boolean {
  return ['postgres', 'mysql', 'mssql', 'oracle', 'sqlite', 'sql'].includes(language)
}
