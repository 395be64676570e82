import type { DatabaseSchemaAnswer } from '../../contract/foreseen-script.ts'
import { refused } from '../refusals/request-refused.ts'
import { reviewRule } from '../reviews/rules.ts'
import type { GatewayUser } from '../identity.ts'
import type { ExecAnswer, ScriptExecution } from '../sessions/executions.ts'
import { connectionType } from '../settings/connections.ts'
import type { ConnectionSettings } from '../settings/settings.ts'

/** How long an answer is used again, for the same user. */
const KEPT_MS = 5 * 60_000
/** Answers that are kept. The oldest one is dropped. */
const MAX_KEPT_ANSWERS = 50
/** Larger answers are read again each time. */
const MAX_KEPT_CHARACTERS = 1024 * 1024
/** Tables of one answer. The page shows how many there are if there are more. */
const MAX_TABLES = 500
const MAX_PROBLEM_CHARACTERS = 500

const SYSTEM = `'information_schema', 'pg_catalog', 'mysql', 'performance_schema', 'sys'`
const FROM = `from information_schema.columns where table_schema not in (${SYSTEM}) and table_schema not like 'pg\\_%'
group by table_schema, table_name order by table_schema, table_name limit ${MAX_TABLES + 1};
`
/** One row for each table, as JSON in one column: so the form in which the client prints rows does not matter. */
const QUERIES: Readonly<Record<string, string>> = {
  postgres: `-- The tables of the database, for the page.
select json_build_object('schema', table_schema, 'table', table_name, 'columns',
  json_agg(json_build_array(column_name, data_type) order by ordinal_position))::text as tables
${FROM}`,
  mysql: `-- The tables of the database, for the page.
select json_object('schema', table_schema, 'table', table_name, 'columns',
  json_arrayagg(json_array(column_name, data_type))) as tables
${FROM}`,
}

type Tables = DatabaseSchemaAnswer['tables']

/** Returns why the page cannot show the tables of the connection; an empty text if it can. */
export function schemaRefusal(user: GatewayUser, connection: ConnectionSettings): string {
  const { access, jira, name } = connection
  if (queryFor(connection) === undefined) return 'only PostgreSQL and MySQL connections have tables to show'
  if (!access.exec || !access.schema) return `tables of connection ${name} are not shown (access.schema)`
  if (reviewRule({ connection, origin: 'client-api', verb: 'exec' }, user.groups) !== undefined)
    return `scripts on connection ${name} need approval, and reading its tables is a script`
  return jira === undefined ? '' : `each session on connection ${name} opens a Jira issue`
}

function queryFor({ type, subtype }: ConnectionSettings): string | undefined {
  return QUERIES[connectionType(type, subtype)]
}

/** Reads the tables of databases by a script of its own, in a recorded session of the user. */
export class DatabaseSchemas {
  readonly #execute: (execution: ScriptExecution) => Promise<ExecAnswer>
  readonly #now: () => number
  readonly #kept = new Map<
    string,
    { readonly answer: DatabaseSchemaAnswer; readonly of: ConnectionSettings }
  >()

  constructor(execute: (execution: ScriptExecution) => Promise<ExecAnswer>, now: () => number = Date.now) {
    this.#execute = execute
    this.#now = now
  }

  /**
   * @param isFresh reads again, even if there is a kept answer
   * @throws RequestRefused, and the errors of the execution
   */
  async read(
    user: GatewayUser,
    connection: ConnectionSettings,
    asked: Pick<ScriptExecution, 'clientIp' | 'askedWith'>,
    isFresh: boolean,
  ): Promise<DatabaseSchemaAnswer> {
    const refusal = schemaRefusal(user, connection)
    if (refusal !== '') throw refused('not-permitted/schema', { reason: refusal })
    const key = JSON.stringify([user.name, connection.name])
    const kept = this.#kept.get(key)
    // A reload replaces the settings of the connection, and its database may be another one.
    const isUsable = kept?.of === connection && this.#now() - Date.parse(kept.answer.read_at) < KEPT_MS
    if (kept !== undefined && isUsable && !isFresh) return kept.answer
    const answer = await this.#read(user, connection, asked)
    this.#kept.delete(key)
    const isKept = answer.problem === null && JSON.stringify(answer).length <= MAX_KEPT_CHARACTERS
    if (isKept) this.#kept.set(key, { answer, of: connection })
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MAX_KEPT_ANSWERS && oldest !== undefined) this.#kept.delete(oldest)
    return answer
  }

  async #read(
    { name: user }: GatewayUser,
    connection: ConnectionSettings,
    asked: Pick<ScriptExecution, 'clientIp' | 'askedWith'>,
  ): Promise<DatabaseSchemaAnswer> {
    const { status, body } = await this.#execute({
      ...{ connection, user, ...asked, origin: 'client-api', bringsInput: false },
      script: Buffer.from(queryFor(connection) ?? ''),
      ...{ envVars: new Map(), clientArgs: [], metadata: {}, labels: { purpose: 'schema' } },
    })
    const common = { session_id: body.session_id, read_at: new Date(this.#now()).toISOString() }
    const tables = status === 200 && body.exit_code === 0 ? tablesIn(body.output) : undefined
    if (tables === undefined) {
      const reason = status === 202 ? 'the query still runs' : body.output.slice(0, MAX_PROBLEM_CHARACTERS)
      return { ...common, tables: [], is_complete: false, problem: reason }
    }
    const shown = tables.slice(0, MAX_TABLES)
    return {
      ...{ ...common, tables: shown, problem: null },
      is_complete: shown.length === tables.length && !body.truncated,
    }
  }
}

/** Reads the JSON of each line, whatever the client draws around it. Leaves out lines that are none. */
function tablesIn(output: string): Tables {
  return output.split('\n').flatMap((line) => {
    // No expression: without an end of the object, its time would grow with the square of the line.
    const table = tableIn(line.slice(Math.max(0, line.indexOf('{')), line.lastIndexOf('}') + 1))
    return table === undefined ? [] : [table]
  })
}

/** Clients that print CSV write each quote twice. */
function tableIn(json: string): Tables[number] | undefined {
  const { schema, table, columns } = parsed(json) ?? parsed(json.replaceAll('""', '"')) ?? {}
  if (typeof schema !== 'string' || typeof table !== 'string' || !Array.isArray(columns)) return undefined
  return {
    schema,
    name: table,
    columns: columns.map((column: unknown) => {
      const [name, type] = Array.isArray(column) ? (column as readonly unknown[]) : []
      return { name: String(name), type: String(type) }
    }),
  }
}

function parsed(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(json) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}
