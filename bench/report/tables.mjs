import { percentile } from '../samples.mjs'

/**
 * For `bench/console/console.mjs`.
 * @param {import('../samples.mjs').Samples} samples
 * @param {number} rounds
 */
export function samplesTable(samples, rounds) {
  const head = ['figure', `median of ${rounds}`, 'min', 'max', 'unit']
  const rows = samples
    .summary()
    .map(({ name, median, min, max, unit }) => [name, ...[median, min, max].map(shown), unit])
  return table(head, rows)
}

/** @param {ReturnType<typeof import('./verdicts.mjs').verdicts>} rows */
export function verdictTable(rows) {
  const others = [...new Set(rows.flatMap(({ beside }) => Object.keys(beside)))]
  const head = ['figure', 'unit', 'ours', 'peer', 'its value', 'ratio', 'goal', 'verdict']
  const lines = rows.map((row) => [
    ...[row.name, row.unit, spread(row.ours), row.peer ?? '', spread(row.theirs), spread(row.ratio)],
    ...[goal(row), verdict(row), ...others.map((name) => spread(row.beside[name]))],
  ])
  return table([...head, ...others.map((name) => `ours / ${name}`)], lines)
}

/**
 * Returns a table with the cost of an execution in milliseconds, by the size of an input.
 * @param {Record<string, Record<string, number[]>>} figures
 */
export function growthTable(figures) {
  const rows = Object.entries(figures).filter(([figure]) => figure.startsWith('by-'))
  if (rows.length === 0) return ''
  const contestants = [...new Set(rows.flatMap(([, values]) => Object.keys(values)))]
  const cell = (values) => (values === undefined ? '' : shown(percentile(values, 50)))
  return table(
    ['one execution, ms', ...contestants],
    rows.map(([figure, values]) => [figure, ...contestants.map((contestant) => cell(values[contestant]))]),
  )
}

function goal({ atLeast, atMost }) {
  return atLeast !== undefined ? `>= ${atLeast}` : atMost !== undefined ? `<= ${atMost}` : ''
}

/** Returns the verdict, with a `?` if not all rounds have the same verdict. */
function verdict({ met, sure }) {
  return met === undefined ? '' : `${met ? 'met' : 'missed'}${sure ? '' : '?'}`
}

function spread(value) {
  if (value === undefined || !Number.isFinite(value.median)) return ''
  const { median, min, max } = value
  return min === max ? shown(median) : `${shown(median)} (${shown(min)}-${shown(max)})`
}

function shown(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

function table(head, rows) {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)))
  const line = (row) => row.map((cell, column) => cell.padEnd(widths[column])).join('  ')
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)]
    .map((text) => text.trimEnd())
    .join('\n')
}
