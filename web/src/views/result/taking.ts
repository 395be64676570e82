import { asRefused } from '../../api/request.ts'
import { inTurns } from '../../output/turn.ts'
import { copyText } from '../../parts/clipboard.ts'
import { saveFile } from '../../parts/save-file.ts'
import { toast } from '../../parts/toasts.tsx'
import { csvOf, isFormula, tsvOf } from '../../result/csv.ts'
import { STEP_ROWS, type Cell, type ResultTable, type Steps } from '../../result/table.ts'

/** Maximum number of rows copied to the clipboard. */
const MAX_COPIED_ROWS = 50_000

export interface ShownRows {
  readonly table: ResultTable
  readonly count: number
  readonly rowAt: (index: number) => readonly Cell[]
}

function* rowsOf({ count, rowAt }: ShownRows): Generator<readonly Cell[], void> {
  for (let index = 0; index < count; index++) yield rowAt(index)
}

/** Copies the rows. Then reports how many values were changed in the copy. */
export async function copyRows(shown: ShownRows): Promise<void> {
  const { table, count } = shown
  if (count > MAX_COPIED_ROWS) {
    toast('The table is too long to copy. Download it as CSV instead.', { icon: 'alert', tone: 'bad' })
    return
  }
  try {
    await copyText(tsvOf([table.columns.map(({ name }) => name), ...rowsOf(shown)]))
    toast(`${count} rows are copied.`)
    let formulas = 0
    for (const row of rowsOf(shown)) formulas += row.filter(isFormula).length
    sayFormulas(formulas, 'In the copy')
  } catch (error) {
    toast(`The rows are not copied: ${asRefused(error).message}`, { icon: 'alert', tone: 'bad' })
  }
}

/** Saves the rows as CSV. Then reports how many values were changed in the file. */
export async function downloadCsv(shown: ShownRows, fileName: string): Promise<void> {
  const { table, count } = shown
  const { pieces, formulas } = await inTurns(csvPieces(shown), new AbortController().signal)
  saveFile(new Blob(pieces, { type: 'text/csv;charset=utf-8' }), fileName)
  const rows = count === table.rows.length ? 'All rows are' : `${count} of ${table.rows.length} rows are`
  toast(`${rows} in ${fileName}.`)
  sayFormulas(formulas, 'In the file')
}

function sayFormulas(formulas: number, where: string): void {
  if (formulas === 0) return
  toast(
    `Values that look like formulas: ${formulas}. ${where} they begin with ', so that a spreadsheet does not run them.`,
    { icon: 'info', tone: 'wait' },
  )
}

interface Csv {
  readonly pieces: string[]
  readonly formulas: number
}

function* csvPieces(shown: ShownRows): Steps<Csv> {
  const pieces: string[] = []
  let lines: string[] = []
  for (const line of csvOf(shown.table.columns, rowsOf(shown))) {
    lines.push(line)
    if (lines.length < STEP_ROWS) continue
    pieces.push(lines.join(''))
    lines = []
    yield
  }
  let formulas = 0
  let looked = 0
  for (const row of rowsOf(shown)) {
    formulas += row.filter(isFormula).length
    if (++looked % STEP_ROWS === 0) yield
  }
  return { pieces: [...pieces, lines.join('')], formulas }
}
