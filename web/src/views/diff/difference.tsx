import { useState } from 'preact/hooks'
import { Coloured } from '../../parts/coloured.tsx'
import { Icon } from '../../parts/icon.tsx'
import { visible } from '../../parts/visible.ts'
import { shownLines, type DiffLine, type LineDiff, type ShownLine } from './line-diff.ts'

/** Longer differences have no colours, because each coloured piece is a DOM element. */
const MAX_COLOURED = 2000

interface DifferenceProps {
  readonly label: string
  readonly diff: LineDiff
  /** Maximum number of lines that differ and are drawn. */
  readonly most: number
  /** File by whose language the lines are coloured. */
  readonly file?: string
}

/** Shows a difference line by line. Added and removed lines differ by their sign, not only by colour. */
export function Difference({ label, diff, most, file = '' }: DifferenceProps) {
  const language = diff.lines.length > MAX_COLOURED ? '' : file
  return (
    <div class="output difference" tabIndex={0} role="region" aria-label={label}>
      <ol>
        {shownLines(diff, most).map((line, at) => (
          <Shown key={at} line={line} file={language} />
        ))}
      </ol>
    </div>
  )
}

function Shown({ line, file }: { readonly line: ShownLine; readonly file: string }) {
  if (line.kind === 'folded') return <Folded lines={line.lines} file={file} />
  if (line.kind !== 'missing') return <Line line={line} file={file} />
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

function Folded({ lines, file }: { readonly lines: readonly DiffLine[]; readonly file: string }) {
  const [isOpen, setOpen] = useState(false)
  const [first, last] = [lines[0]?.number ?? 0, lines.at(-1)?.number ?? 0]
  if (isOpen)
    return (
      <>
        {lines.map((line) => (
          <Line key={line.number} line={line} file={file} />
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

function Line({ line, file }: { readonly line: DiffLine; readonly file: string }) {
  const { kind, number, text, pieces } = line
  const words =
    pieces === undefined ? (
      <Coloured text={visible(text)} file={file} />
    ) : (
      pieces.map((piece, at) =>
        piece.isChanged ? <b key={at}>{visible(piece.text)}</b> : visible(piece.text),
      )
    )
  return (
    <li data-n={number}>
      <span>{kind === 'added' ? <ins>{words}</ins> : kind === 'removed' ? <del>{words}</del> : words}</span>
    </li>
  )
}
