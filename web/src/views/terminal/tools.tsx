import { useState } from 'preact/hooks'
import { Icon } from '../../parts/icon.tsx'
import { FONT_SIZES, USUAL_FONT_SIZE } from './screen.ts'

const KEPT = 'runbook-page-terminal-font'

/** Returns the font size, which the browser stores. */
export function useFontSize() {
  const [size, setSize] = useState<number>(() => {
    const kept = Number(localStorage.getItem(KEPT))
    return FONT_SIZES.find((one) => one === kept) ?? USUAL_FONT_SIZE
  })
  const step = (by: number) => {
    const next = FONT_SIZES[FONT_SIZES.findIndex((one) => one === size) + by]
    if (next === undefined) return
    localStorage.setItem(KEPT, String(next))
    setSize(next)
  }
  return { size, step, isSmallest: size === FONT_SIZES[0], isLargest: size === FONT_SIZES.at(-1) }
}

interface TerminalToolsProps {
  /** Returns whether the text is on the screen or in the scrolled lines. */
  readonly find: (text: string, isBackwards: boolean) => boolean
  readonly fontSize: ReturnType<typeof useFontSize>
}

export function TerminalTools({ find, fontSize: { step, isSmallest, isLargest } }: TerminalToolsProps) {
  const [text, setText] = useState('')
  const [isMissing, setMissing] = useState(false)
  const look = (isBackwards: boolean) => setMissing(text !== '' && !find(text, isBackwards))
  return (
    <div class="line push terminal-tools">
      <span role="status" class="soft">
        {isMissing && 'nothing found'}
      </span>
      <div class="search" role="search">
        <Icon name="search" small />
        <input
          type="search"
          aria-label="Search the terminal"
          placeholder="Search the terminal"
          value={text}
          onInput={({ currentTarget: { value } }) => {
            setText(value)
            setMissing(false)
          }}
          onKeyDown={(event) => event.key === 'Enter' && look(!event.shiftKey)}
        />
      </div>
      <button
        type="button"
        class="button is-small is-icon"
        aria-label="Smaller letters"
        title="Smaller letters"
        disabled={isSmallest}
        onClick={() => step(-1)}
      >
        <Icon name="minus" small />
      </button>
      <button
        type="button"
        class="button is-small is-icon"
        aria-label="Larger letters"
        title="Larger letters"
        disabled={isLargest}
        onClick={() => step(1)}
      >
        <Icon name="plus" small />
      </button>
    </div>
  )
}
