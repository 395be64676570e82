import type { Session } from '../../api/types.ts'
import { Empty } from '../../parts/messages.tsx'
import { bytesText } from '../../parts/moment.tsx'
import { Opened } from '../../parts/opened.tsx'

/** Maximum size of a recording, because the page keeps all of it in memory. */
const MAX_RECORDING_BYTES = 16 * 1024 * 1024

/** Shows a recorded terminal as text and as a replay. The page loads the terminal's code here for the first time. */
export function PastTerminal({ session }: { readonly session: Session }) {
  if (session.status !== 'done')
    return (
      <Empty icon="terminal" title="The terminal is open.">
        You can read and replay it here after it has ended.
      </Empty>
    )
  if (session.event_size > MAX_RECORDING_BYTES)
    return (
      <Empty
        icon="terminal"
        title={`The terminal has written ${bytesText(session.event_size)}, too much to show here.`}
      >
        The page shows recordings of up to {bytesText(MAX_RECORDING_BYTES)}.{' '}
        <a
          href={`/api/sessions/${encodeURIComponent(session.id)}/result/stream`}
          download={`${session.id}.txt`}
        >
          Download the output
        </a>
        .
      </Empty>
    )
  return <Opened load={loadPast} props={{ session }} />
}

const loadPast = () => import('../terminal/past.tsx').then(({ Past }) => ({ default: Past }))
