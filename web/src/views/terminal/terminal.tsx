import { useEffect, useRef, useState } from 'preact/hooks'
import { approvalPath, sessionPath, sessionsOf } from '../../parts/paths.ts'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { meaningOf } from '../sessions/exit-code.ts'
import { converse, type Conversation, type TerminalState } from './conversation.ts'
import { openScreen } from './screen.ts'

/** A terminal on a connection, as `runbook-agent connect` opens one. */
export default function TerminalView({ connection }: { readonly connection: string }) {
  const [attempt, setAttempt] = useState(0)
  const [state, setState] = useState<TerminalState>({ kind: 'connecting' })
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (place.current === null) return undefined
    const conversation = begin(place.current, connection, setState)
    return () => conversation.end()
  }, [connection, attempt])
  return (
    <section class="view">
      <p class="back">
        <a href="/connections">All connections</a>
      </p>
      <h1>
        Terminal on <Name>{connection}</Name>
      </h1>
      <p role="status">
        <StateText state={state} connection={connection} />
      </p>
      {(state.kind === 'ended' || state.kind === 'lost') && (
        <p class="actions">
          <button
            onClick={() => {
              setState({ kind: 'connecting' })
              setAttempt((count) => count + 1)
            }}
          >
            Open another one
          </button>
        </p>
      )}
      <div class="terminal" ref={place} role="group" aria-label="Terminal" />
      <p class="hint">Keys go to the terminal while it has the focus. Ctrl+Shift+Escape leaves it.</p>
    </section>
  )
}

/** The screen and what it is connected to, until the view is left. */
function begin(
  place: HTMLElement,
  connection: string,
  tell: (state: TerminalState) => void,
): Pick<Conversation, 'end'> {
  const screen = openScreen(place, { isRead: false })
  const { terminal, fit } = screen
  const conversation = converse(connection, terminal, tell)
  const observer = new ResizeObserver(fit)
  observer.observe(place)
  terminal.attachCustomKeyEventHandler((event) => {
    if (!(event.ctrlKey && event.shiftKey && event.key === 'Escape')) return true
    document.getElementById('main')?.focus()
    return false
  })
  terminal.focus()
  return {
    end: () => {
      observer.disconnect()
      conversation.end()
      screen[Symbol.dispose]()
    },
  }
}

interface StateTextProps {
  readonly state: TerminalState
  readonly connection: string
}

function StateText({ state, connection }: StateTextProps) {
  switch (state.kind) {
    case 'connecting':
      return <>Connecting …</>
    case 'waiting':
      return (
        <>
          It waits for an <a href={approvalPath(state.session)}>approval</a>, and opens by itself when it is
          given.
        </>
      )
    case 'open':
      return (
        <>
          Open. <a href={sessionPath(state.session)}>The session</a>
        </>
      )
    case 'ended':
      return (
        <>
          {state.exitCode !== undefined && (
            <>
              <strong>exit code {state.exitCode}</strong>: {meaningOf(state.exitCode)}.{' '}
            </>
          )}
          {state.message !== '' && <span dir="auto">{visible(state.message)}. </span>}
          <a href={sessionsOf(connection)}>Sessions of this connection</a>
        </>
      )
    case 'lost':
      return (
        <>The connection to the gateway is lost, and with it the terminal. Its session says how it ended.</>
      )
  }
}
