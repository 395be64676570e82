import { markedText } from '../../output/output-row.tsx'
import { CLOCK } from '../../parts/moment.tsx'
import { visible } from '../../parts/visible.ts'
import type { PastLine } from './past-text.ts'

export const PAST_ROW_PX = 20

interface PastRowProps {
  readonly line: PastLine
  /** The line above, whose time is not repeated. */
  readonly before: PastLine | undefined
  /** Beginning of the terminal in ms. */
  readonly start: number
  readonly isMarked: boolean
  readonly found: string
}

/** Draws a line of a past terminal. Times are not part of the text, so copied text does not have them. */
export function PastRow({ line, before, start, isMarked, found }: PastRowProps) {
  const { text, at, isScreen, prompt = 0 } = line
  const time = CLOCK.format(start + at * 1000)
  const isSame = before !== undefined && CLOCK.format(start + before.at * 1000) === time
  const marks = [isScreen ? ' is-screen' : '', isMarked ? ' is-found' : '']
  return (
    <div class={`row${marks.join('')}`}>
      <span class="line-number" data-n={isSame ? '' : time} title={time} />
      <span class="line-text">
        {prompt > 0 && <span class="n">{markedText(visible(text.slice(0, prompt)), found)}</span>}
        {prompt > 0 ? (
          <strong>{markedText(visible(text.slice(prompt)), found)}</strong>
        ) : (
          markedText(visible(text), found)
        )}
      </span>
    </div>
  )
}
