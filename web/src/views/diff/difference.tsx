import { useState } from 'preact/hooks'
import { Icon } from '../../parts/icon.tsx'
import { visible } from '../../parts/visible.ts'
import { shownLines, type DiffLine, type LineDiff, type ShownLine } from './line-diff.ts'

interface DifferenceProps {
  readonly label: string
  readonly diff: LineDiff
  /** Maximum number of lines that differ and are drawn. */
  readonly most: number
}

/** Shows a difference line by line. Added and removed lines differ by their sign, not only by colour. */
export function Difference({ label, diff, most }: DifferenceProps) {
  return (
    <div class="output difference" tabIndex={0} role="region" aria-label={label}>
      <ol>
        {shownLines(diff, most).map((line, at) => (
          <Shown key={at} line={line} />
        ))}
      </ol>
    </div>
  )
}

function Shown({ line }: { readonly line: ShownLine }) {
  if (line.kind === 'folded') return <Folded lines={line.lines} />
  if (line.kind !== 'missing') return <Line line={line} />
  return (
    <li class="is-cut is-missing" data-n="!">
      <span class="cut">
        <Icon name="alert" small />
        not shown here: {line.added} added and {line.removed} removed{' '}
        {line.added + line.removed === 1 ? 'line' : 'lines'}
      </span>
    </li>
  )
}

function Folded({ lines }: { readonly lines: readonly DiffLine[] }) {
  const [isOpen, setOpen] = useState(false)
  const [first, last] = [lines[0]?.number ?? 0, lines.at(-1)?.number ?? 0]
  if (isOpen)
    return (
      <>
        {lines.map((line) => (
          <Line key={line.number} line={line} />
        ))}
      </>
    )
  return (
    <li class="is-cut" data-n="···">
      <button type="button" class="cut" onClick={() => setOpen(true)}>
        <Icon name="chevron" small />
        {lines.length === 1 ? `1 line alike, ${first}` : `${lines.length} lines alike, ${first} to ${last}`}
      </button>
    </li>
  )
}

function Line({ line }: { readonly line: DiffLine }) {
  const { kind, number, text, pieces } = line
  const words =
    pieces === undefined
      ? visible(text)
      : pieces.map((piece, at) =>
          piece.isChanged ? <b key={at}>{visible(piece.text)}</b> : visible(piece.text),
        )
  return (
    <li data-n={number}>
      <span>{kind === 'added' ? <ins>{words}</ins> : kind === 'removed' ? <del>{words}</del> : words}</span>
    </li>
  )
}
