import { cpus } from 'node:os'
import process from 'node:process'

/**
 * @param {import('./samples.mjs').Samples} samples
 * @param {number} rounds
 */
export function table(samples, rounds) {
  const head = ['figure', `median of ${rounds}`, 'min', 'max', 'unit']
  const rows = samples
    .summary()
    .map(({ name, median, min, max, unit }) => [name, ...[median, min, max].map(shown), unit])
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)))
  const line = (row) => row.map((cell, column) => pad(cell, widths[column], column)).join('  ')
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)]
    .map((text) => text.trimEnd())
    .join('\n')
}

/**
 * One line: `{"node", "cpus", "rounds", "figures": {name: {unit, median, min, max, values}}}`.
 * @param {import('./samples.mjs').Samples} samples
 * @param {number} rounds
 */
export function jsonLine(samples, rounds) {
  const figures = Object.fromEntries(samples.summary().map(({ name, ...figure }) => [name, figure]))
  return JSON.stringify({ node: process.version, cpus: cpus().length, rounds, figures })
}

function shown(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** Names and units stand left, numbers right. */
function pad(cell, width, column) {
  return column > 0 && column < 4 ? cell.padStart(width) : cell.padEnd(width)
}
