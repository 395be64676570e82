import type uPlot from 'uplot'
import { DAY_S, type ChartData } from '../../result/chart-data.ts'

export const FONT = '12px system-ui, sans-serif'
/** Minimum space between two labels. */
const BETWEEN_PX = 16
const MIN_ROOM_PX = 16
/** Minimum width of the axis of values. */
const VALUES_PX = 64
/** Space for ticks and a gap between the numbers of the axis of values and the chart. */
const BESIDE_VALUES_PX = 20

/** Times in the form of databases. A smaller step between two times shows more detail. */
export const CLOCKED: Partial<uPlot.Axis> = {
  space: 100,
  values: (_, places, __, ___, step) =>
    places.map((seconds) => {
      const text = momentText(seconds)
      return step >= DAY_S ? text.slice(0, 10) : step >= 60 ? text.slice(5, 16) : text.slice(11)
    }),
}

/** An axis that is as wide as its longest number needs. */
export const VALUED: Partial<uPlot.Axis> = {
  size: (_, values: readonly string[] | null) => Math.max(VALUES_PX, widest(values ?? []) + BESIDE_VALUES_PX),
}

/** Returns an axis with labels only at whole places. It has as many labels as fit. */
export function labelled({ labels }: ChartData): Partial<uPlot.Axis> {
  const space = widest(labels.map(shortened)) + BETWEEN_PX
  return {
    splits: (chart, _, low, high) => {
      const place = chart.bbox.width / devicePixelRatio / (high - low)
      const step = Math.max(1, Math.ceil(space / place))
      return labels.flatMap((__, at) => (at % step === 0 && at >= low && at <= high ? [at] : []))
    },
    values: (_, places) => places.map((at) => shortened(labels[at] ?? '')),
    grid: { show: false },
  }
}

/** Space at each end of an axis of bars or labels, as a part of the distance between two places. */
const AT_THE_ENDS = 0.6

/**
 * Returns the range that the user has selected. Without a selection, returns the range of all places with room
 * for the whole first and last bar or label.
 */
export function wholeRange({ kind, places }: ChartData): (low: number, high: number) => [number, number] {
  const [first, last] = [places.at(0) ?? 0, places.at(-1) ?? 0]
  const room = AT_THE_ENDS * (leastDistance(places) ?? (kind === 'moments' ? DAY_S : 1))
  return (low, high) => (low <= first && high >= last ? [first - room, last + room] : [low, high])
}

/** Returns the distance that limits the width of the bars, or undefined for a single place. */
function leastDistance(places: readonly number[]): number | undefined {
  let least: number | undefined
  for (const [at, place] of places.entries()) {
    const distance = place - (places[at - 1] ?? place)
    if (distance > 0 && distance < (least ?? Infinity)) least = distance
  }
  return least
}

/** Returns the space to the right of the chart. The right half of the last label may be in this space. */
export function roomForLast({ kind, labels, places }: ChartData): number {
  const texts =
    kind === 'labels'
      ? labels.map(shortened)
      : kind === 'moments'
        ? ['0000-00-00', '00-00 00:00']
        : [places.at(0) ?? 0, places.at(-1) ?? 0].map((place) => place.toLocaleString())
  return Math.max(MIN_ROOM_PX, Math.ceil(widest(texts) / 2))
}

export function valueText({ kind, labels }: ChartData, place: number | null): string {
  // The place is null while the pointer is not over the chart.
  if (place === null) return '--'
  return kind === 'moments' ? momentText(place) : (labels[place] ?? '')
}

function momentText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
}

function shortened(label: string): string {
  return label.length > 14 ? `${label.slice(0, 13)}…` : label
}

/** Returns the width of the widest text on an axis, in pixels. */
function widest(texts: readonly string[]): number {
  const context = document.createElement('canvas').getContext('2d')
  if (context === null) return 0
  context.font = FONT
  return texts.reduce((most, text) => Math.max(most, context.measureText(text).width), 0)
}
