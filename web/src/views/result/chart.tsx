import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { Icon } from '../../parts/icon.tsx'
import { Note } from '../../parts/messages.tsx'
import { saveFile } from '../../parts/save-file.ts'
import { visible } from '../../parts/visible.ts'
import { chartData, MAX_LABELS, type ChartData, type Measure } from '../../result/chart-data.ts'
import type { ResultTable } from '../../result/table.ts'
import { CLOCKED, FONT, labelled, roomForLast, VALUED, valueText, wholeRange } from './chart-axes.ts'
import { number } from './table-view.tsx'

const MIN_HEIGHT_PX = 240
const ROW_NUMBER = -1

type Shape = 'line' | 'bars'

const MEASURES: readonly (readonly [Measure, string])[] = [
  ['each', 'each row'],
  ['sum', 'sum'],
  ['count', 'number of rows'],
  ['average', 'average'],
]

interface ResultChartProps {
  readonly tables: readonly ResultTable[]
  readonly fileName: (ending: string) => string
}

export function ResultChart({ tables, fileName }: ResultChartProps) {
  const charted = tables.filter(({ columns }) => columns.some(({ isNumeric }) => isNumeric))
  const [index, setIndex] = useState(0)
  const table = charted[index]
  if (table === undefined) return null
  return (
    <OneChart
      key={index}
      table={table}
      fileName={fileName}
      choice={
        charted.length > 1 && (
          <Choice
            label="Result"
            value={index}
            options={charted.map((_, at) => [at, `Result ${at + 1}`])}
            onChange={setIndex}
          />
        )
      }
    />
  )
}

interface OneChartProps {
  readonly table: ResultTable
  readonly fileName: (ending: string) => string
  readonly choice: preact.ComponentChildren
}

function OneChart({ table, fileName, choice }: OneChartProps) {
  const { columns } = table
  const numbers = columns.flatMap(({ isNumeric }, at) => (isNumeric ? [at] : []))
  const first = columns.findIndex(({ isNumeric }) => !isNumeric)
  const [across, setAcross] = useState(
    first >= 0 ? first : numbers.length > 1 ? (numbers[0] ?? 0) : ROW_NUMBER,
  )
  const [up, setUp] = useState(
    numbers.find((at) => at !== across && !isKey(columns[at]?.name)) ?? numbers.at(-1) ?? 0,
  )
  const [shape, setShape] = useState<Shape>(() =>
    table.rows.length > MAX_LABELS || chartData(table, across, up).kind !== 'labels' ? 'line' : 'bars',
  )
  const [measure, setMeasure] = useState<Measure>('each')
  const [isByDay, setIsByDay] = useState(false)
  const data = useMemo(
    () => chartData(table, across, up, measure, isByDay),
    [table, across, up, measure, isByDay],
  )
  const nameOf = (at: number) => (at === ROW_NUMBER ? 'row' : visible(columns[at]?.name ?? ''))
  const upName =
    measure === 'each' ? nameOf(up) : measure === 'count' ? 'rows' : `${measure} of ${nameOf(up)}`
  const place = useChart(data, shape, upName, nameOf(across))
  return (
    <section class="card fills column" aria-label="Chart">
      <div class="card-head">
        {choice}
        <Choice
          label="Shape"
          value={shape}
          options={[
            ['line', 'Line'],
            ['bars', 'Bars'],
          ]}
          onChange={setShape}
        />
        <Choice label="Value" value={measure} options={MEASURES} onChange={setMeasure} />
        {measure !== 'each' && data.kind === 'moments' && (
          <Choice
            label="Per"
            value={isByDay ? 'day' : 'time'}
            options={[
              ['time', 'time'],
              ['day', 'day (UTC)'],
            ]}
            onChange={(per) => setIsByDay(per === 'day')}
          />
        )}
        {measure !== 'count' && (
          <Choice label="Up" value={up} options={numbers.map((at) => [at, nameOf(at)])} onChange={setUp} />
        )}
        <Choice
          label="Across"
          value={across}
          options={[
            ...columns.map((_, at) => [at, nameOf(at)] as const),
            [ROW_NUMBER, 'row number'] as const,
          ]}
          onChange={setAcross}
        />
        <button
          type="button"
          class="button is-small push"
          onClick={() => savePicture(place.current, fileName('png'))}
        >
          <Icon name="download" small />
          Download PNG
        </button>
      </div>
      {data.leftOut > 0 && (
        <Note tone="wait">
          {number(data.leftOut)} rows are not in the chart, because they have no value or because the chart
          cannot show so many labels.
        </Note>
      )}
      <figure class="card-body fills">
        <figcaption>
          <strong>
            {upName} by {nameOf(across)}
          </strong>
        </figcaption>
        <div class="plot fills" role="img" aria-label={described(data, upName, nameOf(across))} ref={place} />
      </figure>
    </section>
  )
}

/** Whether the column holds keys. A key is not a quantity, so its height in a chart means nothing. */
function isKey(name: string | undefined): boolean {
  return /(?:^|_)id$/i.test(name ?? '')
}

function described(data: ChartData, up: string, across: string): string {
  const values = data.values.filter((value) => value !== null)
  if (values.length === 0) return `${up} by ${across}: no values`
  const [least, most] = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  )
  return `${up} by ${across}: ${number(values.length)} values from ${number(least)} to ${number(most)}. The table has all values.`
}

interface ChoiceProps<Value extends string | number> {
  readonly label: string
  readonly value: Value
  readonly options: readonly (readonly [value: Value, text: string])[]
  readonly onChange: (value: Value) => void
}

function Choice<Value extends string | number>({ label, value, options, onChange }: ChoiceProps<Value>) {
  const id = useId()
  return (
    <div class="line small">
      <label class="soft" for={id}>
        {label}
      </label>
      <select
        class="choice"
        id={id}
        value={value}
        onChange={({ currentTarget: { selectedIndex } }) => {
          const chosen = options[selectedIndex]
          if (chosen !== undefined) onChange(chosen[0])
        }}
      >
        {options.map(([one, text]) => (
          <option key={one} value={one}>
            {text}
          </option>
        ))}
      </select>
    </div>
  )
}

/** Draws the chart in the element's size and the colours of the theme. */
function useChart(data: ChartData, shape: Shape, up: string, across: string) {
  const place = useRef<HTMLDivElement>(null)
  const theme = useTheme()
  useEffect(() => {
    const { current } = place
    if (current === null) return undefined
    const chart = new uPlot(
      optionsFor(current, { data, shape, up, across }),
      [[...data.places], [...data.values]],
      current,
    )
    const observer = new ResizeObserver(() => chart.setSize(sizeOf(current)))
    observer.observe(current)
    return () => {
      observer.disconnect()
      chart.destroy()
    }
  }, [data, shape, up, across, theme])
  return place
}

/** Returns a number that changes with the colours of the page. */
function useTheme(): number {
  const [theme, setTheme] = useState(0)
  useEffect(() => {
    const change = () => setTheme((count) => count + 1)
    const media = matchMedia('(prefers-color-scheme: dark)')
    const observer = new MutationObserver(change)
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] })
    media.addEventListener('change', change)
    return () => {
      observer.disconnect()
      media.removeEventListener('change', change)
    }
  }, [])
  return theme
}

/** The size of the canvas. On a phone the legend is below it. */
function sizeOf(place: HTMLElement) {
  const legend = place.querySelector<HTMLElement>('.u-legend')
  const isBelow = legend !== null && getComputedStyle(legend).position === 'static'
  const height = place.clientHeight - (isBelow ? legend.offsetHeight : 0)
  return { width: place.clientWidth, height: Math.max(MIN_HEIGHT_PX, height) }
}

interface Drawn {
  readonly data: ChartData
  readonly shape: Shape
  readonly up: string
  readonly across: string
}

function optionsFor(place: HTMLElement, { data, shape, up, across }: Drawn): uPlot.Options {
  const [series, text, line] = [
    colourOf(place, '--series-1'),
    colourOf(place, '--soft'),
    colourOf(place, '--line'),
  ]
  const axis = {
    stroke: text,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
    font: FONT,
  }
  const whole = wholeRange(data)
  const bars = uPlot.paths.bars?.({ size: [0.7, 60, 1], radius: 0.1 })
  return {
    ...sizeOf(place),
    // Times are in UTC, as in the table.
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { show: true },
    cursor: { drag: { x: true, y: false } },
    scales: {
      x: {
        time: data.kind === 'moments',
        ...((data.kind === 'labels' || shape === 'bars') && {
          range: (_: uPlot, low: number, high: number) => whole(low, high),
        }),
      },
      y: shape === 'bars' ? { range: (_, low, high) => [Math.min(0, low), Math.max(0, high) * 1.05] } : {},
    },
    padding: [null, roomForLast(data), null, null],
    axes: [
      { ...axis, ...(data.kind === 'labels' && labelled(data)), ...(data.kind === 'moments' && CLOCKED) },
      { ...axis, ...VALUED },
    ],
    series: [
      { label: across, ...(data.kind !== 'numbers' && { value: (_, at) => valueText(data, at) }) },
      {
        label: up,
        stroke: series,
        width: 2,
        ...(shape === 'bars' && bars !== undefined && { fill: series, paths: bars }),
        points: { show: shape === 'line' && data.values.length <= MAX_LABELS },
      },
    ],
  }
}

/** Returns a colour of the theme in a form for a canvas. */
function colourOf(place: HTMLElement, token: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${token})`
  place.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/** Saves the picture with the page's background. On another background, the picture may be unreadable. */
function savePicture(place: HTMLElement | null, fileName: string): void {
  const drawn = place?.querySelector('canvas')
  if (place === null || drawn === null || drawn === undefined) return
  const picture = document.createElement('canvas')
  picture.width = drawn.width
  picture.height = drawn.height
  const context = picture.getContext('2d')
  if (context === null) return
  context.fillStyle = colourOf(place, '--surface')
  context.fillRect(0, 0, picture.width, picture.height)
  context.drawImage(drawn, 0, 0)
  picture.toBlob((blob) => blob !== null && saveFile(blob, fileName))
}
