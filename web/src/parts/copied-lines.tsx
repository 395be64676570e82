import './copied-lines.css'
import { copyText } from './clipboard.ts'
import { Icon } from './icon.tsx'
import { toast } from './toasts.tsx'

interface CopiedLinesProps {
  /** What the lines are, as the button and the toast say it: "The command that starts an agent". */
  readonly label: string
  readonly text: string
}

/** Lines to paste elsewhere, with a button that copies them. */
export function CopiedLines({ label, text }: CopiedLinesProps) {
  const copy = () => {
    copyText(text).then(
      () => toast(`${label} is copied`),
      (error: unknown) =>
        toast(`${label} cannot be copied:  ${(error as Error).message}`, { tone: 'bad', icon: 'alert' }),
    )
  }
  return (
    <div class="copied-lines">
      <pre tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
      <button type="button" class="button is-small" onClick={copy}>
        <Icon name="copy" small />
        Copy
      </button>
    </div>
  )
}
