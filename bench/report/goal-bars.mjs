import { bar, line, text } from './svg.mjs'
import { verdicts } from './verdicts.mjs'

const ROW = 20
/** Maximum factor that a bar shows to each side. The goal is in the middle, and each doubling has the same width. */
const REACH = 8
const LEFT = 250
const WIDTH = 260
const TREND = { left: 660, width: 130 }
const REACHED = '#2a7'
const MISSED = '#d73'

/**
 * Draws how far each goal is reached, and how far it was reached in the kept results.
 * @param {object} results
 * @param {readonly object[]} kept oldest first
 * @param {number} top
 */
export function goalBars(results, kept, top) {
  const rows = judged(results)
  const bottom = top + rows.length * ROW
  const middle = LEFT + WIDTH / 2
  const parts = rows.map((row, n) => oneRow(row, top + n * ROW, trendOf(row, kept)))
  const frame = [
    text(LEFT, top - 10, 'short of the goal', { fill: MISSED }),
    text(LEFT + WIDTH, top - 10, 'beyond it', { anchor: 'end', fill: REACHED }),
    ...(kept.length > 1 ? [text(TREND.left, top - 10, `${kept.length} runs, oldest first`)] : []),
    line([...at(middle, top, bottom)], '#222', 1),
  ]
  return { drawing: [...parts, ...frame].join('\n'), bottom }
}

function oneRow(row, y, trend) {
  const middle = LEFT + WIDTH / 2
  const length = reach(score(row)) * (WIDTH / 2)
  const colour = row.met ? REACHED : MISSED
  const value = (row.ratio ?? row.ours).median
  const goal = row.atLeast === undefined ? `<= ${row.atMost}` : `>= ${row.atLeast}`
  const said = `${value >= 10 ? value.toFixed(0) : value.toFixed(2)}${row.ratio ? 'x' : ` ${row.unit}`}, goal ${goal}`
  return [
    text(LEFT - 10, y + 14, row.peer ? `${row.name} / ${row.peer}` : row.name, { anchor: 'end' }),
    bar(Math.min(middle, middle + length), y + 4, Math.abs(length), ROW - 8, colour),
    text(LEFT + WIDTH + 10, y + 14, said),
    line(
      trend.map(([n, high]) => [TREND.left + n * TREND.width, y + ROW / 2 - high * (ROW / 2 - 2)]),
      colour,
    ),
  ].join('\n')
}

function judged({ figures }) {
  return verdicts(figures).filter(({ met }) => met !== undefined)
}

/** Returns 1 if the goal is just reached, and 2 for a value twice as good. */
function score({ atLeast, atMost, ratio, ours }) {
  const { median } = ratio ?? ours
  return atLeast === undefined ? atMost / Math.max(median, Number.EPSILON) : median / atLeast
}

/** Returns a value from -1 to 1. */
function reach(value) {
  return Math.max(-1, Math.min(1, Math.log(value) / Math.log(REACH)))
}

function trendOf(row, kept) {
  const scores = kept.flatMap((results, n) => {
    const then = judged(results).find(({ figure, peer }) => figure === row.figure && peer === row.peer)
    return then === undefined ? [] : [[n / Math.max(kept.length - 1, 1), reach(score(then))]]
  })
  return scores
}

function at(x, top, bottom) {
  return [
    [x, top],
    [x, bottom],
  ]
}
