import type { Session } from '../../api/types.ts'
import { Note } from '../../parts/messages.tsx'
import { bytesText } from '../../parts/moment.tsx'
import { MAX_TABLES } from '../../result/read-result.ts'
import type { ResultTable } from '../../result/table.ts'
import { downloadName } from '../sessions/file-name.ts'
import { TableView } from './table-view.tsx'

interface ResultTablesProps {
  readonly tables: readonly ResultTable[]
  readonly session: Session
  /** Bytes of the output that were not recorded. */
  readonly cutBytes: number
  /** Whether the output is longer than the part that is searched for tables. */
  readonly isCut: boolean
}

/** Shows the tables. A single table fills the window. Several tables are shown one below the other. */
export function ResultTables({ tables, session, cutBytes, isCut }: ResultTablesProps) {
  const shown = tables.slice(0, MAX_TABLES)
  const isAlone = shown.length === 1
  return (
    <>
      {cutBytes > 0 && (
        <Note tone="wait" role="status" title="Rows are missing">
          {bytesText(cutBytes)} were cut off at the end of the output.
        </Note>
      )}
      {isCut && (
        <Note tone="wait" role="status" title="Rows are missing">
          The output is too long for one table. Download the output to get all rows.
        </Note>
      )}
      {tables.length > shown.length && (
        <Note tone="wait">
          These are the first {MAX_TABLES} of {tables.length} results. The output has all results.
        </Note>
      )}
      {shown.map((table, index) => (
        <TableView
          key={index}
          table={table}
          name={isAlone ? 'Result' : `Result ${index + 1}`}
          fills={isAlone}
          fileName={downloadName(session, 'csv').replace(/\.csv$/, isAlone ? '.csv' : `-${index + 1}.csv`)}
        />
      ))}
    </>
  )
}
