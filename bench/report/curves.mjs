import { percentile } from '../samples.mjs'
import { line, text } from './svg.mjs'

const PANELS = [
  { prefix: 'by-output ', title: 'by output, KiB' },
  { prefix: 'by-environment ', title: 'by variables' },
  { prefix: 'by-sessions ', title: 'by sessions that run' },
  { prefix: 'by-heap ', title: 'by heap, MB' },
]
const COLOURS = { ours: '#25c', before: '#9ae', go: '#d73', ssh: '#2a7', pipe: '#888' }
const [WIDTH, HEIGHT, GAP] = [160, 150, 40]

/**
 * Draws the cost of one execution in milliseconds, by the size of an input.
 * @param {Record<string, Record<string, number[]>>} figures
 * @param {number} top
 */
export function curves(figures, top) {
  const parts = PANELS.map(({ prefix, title }, n) =>
    panel(title, seriesOf(figures, prefix), 30 + n * (WIDTH + GAP), top + 30),
  )
  const names = Object.entries(COLOURS).map(([name, fill], n) => text(260 + n * 60, top, name, { fill }))
  const heading = text(20, top, 'one execution, p50 in ms', { size: 13 })
  return { drawing: [heading, ...names, ...parts].join('\n'), bottom: top + HEIGHT + 60 }
}

/** @returns {Map<string, [number, number][]>} size and milliseconds of each contestant */
function seriesOf(figures, prefix) {
  const series = new Map()
  for (const [figure, values] of Object.entries(figures).filter(([name]) => name.startsWith(prefix)))
    for (const [contestant, ms] of Object.entries(values)) {
      const points = series.get(contestant) ?? []
      points.push([Number(figure.slice(prefix.length)), percentile(ms, 50)])
      series.set(
        contestant,
        points.sort(([a], [b]) => a - b),
      )
    }
  return series
}

/** Sizes are at equal distances in growing order. The axis of milliseconds starts at 0. */
function panel(title, series, left, top) {
  const bottom = top + HEIGHT
  const all = [...series.values()].flat()
  if (all.length === 0) return ''
  const sizes = [...new Set(all.map(([size]) => size))].sort((a, b) => a - b)
  const most = Math.max(...all.map(([, ms]) => ms))
  const x = (size) => left + (sizes.indexOf(size) / Math.max(sizes.length - 1, 1)) * WIDTH
  const y = (ms) => bottom - (ms / most) * HEIGHT
  return [
    text(left, top - 8, `${title} (top: ${most.toPrecision(2)} ms)`),
    line([[left, top], [left, bottom], [left + WIDTH, bottom]], '#222', 1), // prettier-ignore
    ...sizes.map((size) => text(x(size), bottom + 14, size, { size: 9, anchor: 'middle' })),
    ...[...series].map(([name, points]) => line(points.map(([size, ms]) => [x(size), y(ms)]), COLOURS[name])), // prettier-ignore
  ].join('\n')
}
