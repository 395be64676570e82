import { useEffect, useState } from 'preact/hooks'
import { readDatabaseSchema } from '../../api/gateway.ts'
import { person } from '../../api/person.ts'
import type { DatabaseSchema } from '../../api/types.ts'
import { useAction } from '../../parts/action.ts'
import { Icon } from '../../parts/icon.tsx'
import { Problem } from '../../parts/messages.tsx'
import { Moment } from '../../parts/moment.tsx'
import { sessionPath } from '../../parts/paths.ts'
import { visible } from '../../parts/visible.ts'

/** Answers of this page, so that a change of the view loses none. The keys have the user and the connection. */
const read = new Map<string, DatabaseSchema>()

interface TablesProps {
  readonly connection: string
  /** Writes a name at the cursor. */
  readonly onInsert: (name: string) => void
}

/** The tables of the database, which the user asks for: reading them is a session. */
export function Tables({ connection, onInsert }: TablesProps) {
  const key = JSON.stringify([person.value?.name, connection])
  const [schema, setSchema] = useState(() => read.get(key))
  const { busy, error, act } = useAction(() => undefined)
  useEffect(() => setSchema(read.get(key)), [key])
  const ask = (fresh: boolean) => {
    act(async () => {
      const answer = await readDatabaseSchema({ connection, fresh })
      read.set(key, answer)
      setSchema(answer)
    })
  }
  return (
    <details class="desk-group" open>
      <summary>
        <Icon name="chevron" small />
        Tables
      </summary>
      {error !== undefined && <Problem error={error} />}
      {schema === undefined ? (
        <div class="desk-none stack">
          <p>The gateway reads the names of tables and columns in a recorded session.</p>
          <button type="button" class="button is-small" disabled={busy} onClick={() => ask(false)}>
            <Icon name="table" small />
            Read the tables
          </button>
        </div>
      ) : (
        <Read {...{ schema, busy, onInsert }} onAgain={() => ask(true)} key={schema.session_id} />
      )}
    </details>
  )
}

interface ReadProps {
  readonly schema: DatabaseSchema
  readonly busy: boolean
  readonly onInsert: (name: string) => void
  readonly onAgain: () => void
}

type Table = DatabaseSchema['tables'][number]

function Read({ schema, busy, onInsert, onAgain }: ReadProps) {
  const [wanted, setWanted] = useState('')
  const { tables, problem } = schema
  const word = wanted.trim().toLowerCase()
  const isWanted = ({ name, columns }: Table) =>
    name.toLowerCase().includes(word) || columns.some((column) => column.name.toLowerCase().includes(word))
  const shown = word === '' ? tables : tables.filter(isWanted)
  return (
    <>
      {problem === null && tables.length > 0 && (
        <div class="desk-find search">
          <Icon name="search" />
          <input
            type="search"
            aria-label="Find a table or column"
            placeholder="Table or column"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        </div>
      )}
      {shown.length > 0 && (
        <div class="desk-list">
          {shown.map((table) => (
            <TableOf key={`${table.schema}.${table.name}`} {...{ table, onInsert }} isOpen={word !== ''} />
          ))}
        </div>
      )}
      <div class="desk-none">
        {problem !== null && <p class="is-bad">The tables cannot be read: {visible(problem)}</p>}
        {problem === null && tables.length === 0 && <p>There is no table that this connection may see.</p>}
        {shown.length === 0 && tables.length > 0 && <p role="status">Nothing has “{visible(wanted)}”.</p>}
        {problem === null && !schema.is_complete && (
          <p>These are the first {tables.length} tables. There are more.</p>
        )}
        <p>
          Read <Moment at={schema.read_at} />, <a href={sessionPath(schema.session_id)}>the session</a>
        </p>
        <button type="button" class="button is-quiet is-small" disabled={busy} onClick={onAgain}>
          <Icon name="again" small />
          Read again
        </button>
      </div>
    </>
  )
}

interface TableOfProps {
  readonly table: Table
  readonly isOpen: boolean
  readonly onInsert: (name: string) => void
}

/** Schemas in which names need no prefix. */
const USUAL = 'public'

function TableOf({ table, isOpen, onInsert }: TableOfProps) {
  const { schema, name, columns } = table
  const [open, setOpen] = useState(isOpen)
  useEffect(() => setOpen(isOpen), [isOpen])
  const whole = schema === USUAL ? name : `${schema}.${name}`
  return (
    <details class="table-of" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="chevron" small />
        <Icon name="table" small />
        <span>{visible(whole)}</span>
        <span class="push soft">{columns.length}</span>
      </summary>
      {open && (
        <ul>
          <li>
            <button type="button" class="button is-quiet is-small" onClick={() => onInsert(whole)}>
              Write the name
            </button>
          </li>
          {columns.map((column) => (
            <li key={column.name}>
              <button
                type="button"
                class="column-name"
                title={`Write ${visible(column.name)} at the cursor`}
                onClick={() => onInsert(column.name)}
              >
                <code>{visible(column.name)}</code>
              </button>
              <span class="push soft">{visible(column.type)}</span>
            </li>
          ))}
        </ul>
      )}
    </details>
  )
}
