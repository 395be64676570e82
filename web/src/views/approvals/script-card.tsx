import type { ComponentChildren } from 'preact'
import type { Review, Session } from '../../api/types.ts'
import { Icon } from '../../parts/icon.tsx'
import { Note } from '../../parts/messages.tsx'
import { saveFile } from '../../parts/save-file.ts'
import { MarkedScript } from '../../parts/marked-script.tsx'
import { fileToColour } from '../../parts/marks.ts'
import { placeOf } from './place-of.ts'

/** Maximum number of characters of a script that are drawn at first. */
export const MAX_CHARACTERS = 500_000

export type How = 'opened' | 'downloaded'

interface ScriptProps {
  readonly review: Review
  readonly session: Session
  readonly isWhole: boolean
}

/** The script as it will run, with the values that its runbook has put in. */
export function Script({ review, session, isWhole }: ScriptProps) {
  const { data: script } = session.script
  const isCut = !isWhole && script.length > MAX_CHARACTERS
  const text = isCut ? script.slice(0, MAX_CHARACTERS) : script
  return (
    <div class="request-script">
      {isCut && (
        <Note tone="bad" title="Only the beginning of the script is shown.">
          <p>
            {MAX_CHARACTERS.toLocaleString()} of {script.length.toLocaleString()} characters.
          </p>
        </Note>
      )}
      <pre class="script" tabIndex={0} aria-label="Script">
        <MarkedScript text={text} file={fileToColour(review, session)} marks={review.marks} />
      </pre>
    </div>
  )
}

/** Says that nothing else runs. */
export function scriptText(review: Review): string {
  const { batch, marks = [] } = review
  const often = batch === undefined ? 'once' : `on ${placeOf(review)}, once on each`
  const values = marks.length > 0 ? ' Values of the form are marked.' : ''
  return `Exactly this script runs, ${often}. Secrets in it are replaced here.${values}`
}

interface ScriptCardProps extends ScriptProps {
  readonly onWhole: (how: How) => void
  /** Values beside the script. */
  readonly children?: ComponentChildren
}

/** What runs, if there is no approved run to compare with. */
export function ScriptCard({ review, session, isWhole, onWhole, children }: ScriptCardProps) {
  const { data: script } = session.script
  const isCut = !isWhole && script.length > MAX_CHARACTERS
  return (
    <section class="card" aria-labelledby="what">
      <div class="card-head">
        <div class="head-text">
          <h2 id="what">What runs</h2>
          <p class="under">
            {script === ''
              ? 'This request is for a terminal. The commands that the user will type are not known yet.'
              : scriptText(review)}
          </p>
        </div>
        {isCut && <WholeScript script={script} onWhole={onWhole} />}
      </div>
      {script !== '' && (
        <div class={children === undefined ? undefined : 'beside'}>
          <Script review={review} session={session} isWhole={isWhole} />
          {children}
        </div>
      )}
      {script === '' && children}
    </section>
  )
}

function WholeScript({
  script,
  onWhole,
}: {
  readonly script: string
  readonly onWhole: ScriptCardProps['onWhole']
}) {
  const download = () => {
    saveFile(new Blob([script], { type: 'text/plain' }), 'script.txt')
    onWhole('downloaded')
  }
  return (
    <div class="line push">
      <button type="button" class="button is-small" onClick={() => onWhole('opened')}>
        Show the whole script
      </button>
      <button type="button" class="button is-small" onClick={download}>
        <Icon name="download" small />
        Download
      </button>
    </div>
  )
}
