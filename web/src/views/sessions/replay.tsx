import type { ComponentType } from 'preact'
import { useState } from 'preact/hooks'
import { asRefused, type Refused } from '../../api/request.ts'
import type { Session } from '../../api/types.ts'
import { Problem } from '../../parts/messages.tsx'
import { bytesText } from '../../parts/moment.tsx'

/** Maximum size of a recording, because the page keeps all of it in memory. */
const MAX_REPLAYED_BYTES = 16 * 1024 * 1024

type Player = ComponentType<{ readonly id: string }>

/** Shows a recording. The page loads the player when the user starts it. */
export function Replay({ session }: { readonly session: Session }) {
  const [player, setPlayer] = useState<{ readonly view: Player } | undefined>(undefined)
  const [error, setError] = useState<Refused | undefined>(undefined)
  if (session.status !== 'done')
    return <p class="empty">The terminal is open. You can replay it here after it has ended.</p>
  if (session.event_size > MAX_REPLAYED_BYTES)
    return (
      <p class="empty">
        The terminal has written {bytesText(session.event_size)}, too much to replay here.{' '}
        <a
          href={`/api/sessions/${encodeURIComponent(session.id)}/result/stream`}
          download={`${session.id}.txt`}
        >
          Download the output
        </a>
        .
      </p>
    )
  if (player !== undefined) return <player.view id={session.id} />
  const load = () => {
    import('../terminal/player.tsx').then(
      ({ Player: view }) => setPlayer({ view }),
      (failure: unknown) => setError(asRefused(failure)),
    )
  }
  return (
    <>
      <p class="line">
        <button type="button" class="button" onClick={load}>
          Replay
        </button>
      </p>
      {error !== undefined && <Problem error={error} />}
    </>
  )
}
