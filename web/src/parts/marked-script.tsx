import { colouredPieces } from './coloured.tsx'
import { visible, visibleLines } from './visible.ts'
import { cutAt, type Mark } from './marks.ts'

interface MarkedScriptProps {
  readonly text: string
  readonly file: string
  readonly marks?: readonly Mark[] | undefined
}

/** Shows a script with its colours, and marks the values that its runbook has put in. */
export function MarkedScript({ text, file, marks = [] }: MarkedScriptProps) {
  return (
    <>
      {cutAt(colouredPieces(text, file), marks).map(({ mark, pieces }, index) => {
        const words = pieces.map(({ kind, text: piece }, at) => (
          <span key={at} class={kind}>
            {visibleLines(piece)}
          </span>
        ))
        if (mark === undefined) return <span key={index}>{words}</span>
        return (
          <mark key={index} title={mark.names.map(visible).join(', ') || 'a value'}>
            {words}
          </mark>
        )
      })}
    </>
  )
}
