import './marked-script.css'
import { colouredPieces } from './coloured.tsx'
import { visible, visibleLines } from './visible.ts'
import { cutAt, type Mark } from './marks.ts'

interface MarkedScriptProps {
  readonly text: string
  readonly file: string
  readonly marks?: readonly Mark[] | undefined
}

/** Shows a script with its colours, and marks the values that its runbook has put in, and those that are missing. */
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
        const names = mark.names.map(visible).join(', ')
        if (mark.is_part === undefined)
          return (
            <mark key={index} title={names || 'a value'}>
              {words}
            </mark>
          )
        const needs = `${mark.is_part ? 'This part depends on' : 'This needs'} ${names}, which is missing.`
        return (
          <mark key={index} class="is-missing" title={needs}>
            {pieces.map(({ text: piece }) => visibleLines(piece)).join('')}
          </mark>
        )
      })}
    </>
  )
}
