import { textOfRow, type Row } from './ansi/row.ts'
import { Icon } from '../parts/icon.tsx'
import { CLOCK } from '../parts/moment.tsx'
import type { ShownGroup } from './folding.ts'
import { classesOf, hasFlag } from './ansi/style.ts'

interface OutputRowProps {
  readonly number: number
  /** Undefined while the row is read again. */
  readonly row: Row | undefined
  readonly time: number | undefined
  readonly isMarked: boolean
  readonly found: string
  /** Set for the row that begins a group. */
  readonly group: ShownGroup | undefined
  readonly onFold: (row: number, isFolded: boolean) => void
}

/** Draws a row. Numbers and times are not part of the text, so copied text does not have them. */
export function OutputRow({ number, row, time, isMarked, found, group, onFold }: OutputRowProps) {
  const isError = typeof row === 'object' && row.some(({ style }) => hasFlag(style, 'stderr'))
  return (
    <div class={`row${isError ? ' is-err' : ''}${isMarked ? ' is-found' : ''}`}>
      <a
        class="line-number"
        href={`#L${number}`}
        data-n={number}
        aria-label={`Line ${number}`}
        tabIndex={-1}
      />
      {time !== undefined && <span class="line-time" data-time={CLOCK.format(time)} />}
      <span class="line-text">
        {group === undefined ? (
          <RowText row={row} found={found} />
        ) : (
          <button
            type="button"
            class="output-section"
            aria-expanded={!group.isFolded}
            onClick={() => onFold(number - 1, !group.isFolded)}
          >
            <Icon name="chevron" small />
            <strong>{markedText(group.name, found)}</strong>
            <span class="soft">
              {group.rows === 1 ? '1 line' : `${group.rows.toLocaleString('en')} lines`}
            </span>
          </button>
        )}
      </span>
    </div>
  )
}

export function RowText({ row, found }: Pick<OutputRowProps, 'row' | 'found'>) {
  if (row === undefined) return <span class="row-missing">…</span>
  if (typeof row === 'string') return <>{markedText(row, found)}</>
  const isThere = found !== '' && textOfRow(row).toLowerCase().includes(found.toLowerCase())
  return (
    <>
      {row.map(({ text, style }, index) => (
        <span key={index} class={classesOf(style)}>
          {isThere ? markedText(text, found) : text}
        </span>
      ))}
    </>
  )
}

export function markedText(text: string, found: string) {
  if (found === '') return text
  const [lower, wanted] = [text.toLowerCase(), found.toLowerCase()]
  // The offsets in the two texts differ when a letter becomes longer in lower case. In this case nothing is
  // marked.
  if (lower.length !== text.length || !lower.includes(wanted)) return text
  const parts = []
  let from = 0
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>)
    from = at + wanted.length
  }
  return [...parts, text.slice(from)]
}
