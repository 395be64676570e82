import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { readConnection } from '../../api/gateway.ts'
import { focusOnProblem } from '../../form/confirmation.tsx'
import { ReasonField, useReason, type ReasonNeed } from '../../form/reason-field.tsx'
import { DangerDialog } from '../../parts/danger-dialog.tsx'
import { Icon } from '../../parts/icon.tsx'
import { useLoaded } from '../../parts/loaded.ts'
import { Loading } from '../../parts/messages.tsx'
import { approvalPath, sessionPath, sessionsOf } from '../../parts/paths.ts'
import { askBeforeLeaving } from '../../parts/router.ts'
import { State, type StateKind } from '../../parts/state.tsx'
import { Name } from '../../parts/text.tsx'
import { visible } from '../../parts/visible.ts'
import { meaningOf } from '../sessions/exit-code.ts'
import { converse, hasTerminal, type TerminalState } from './conversation.ts'
import { openScreen, type Screen } from './screen.ts'
import { TerminalTools, useFontSize } from './tools.tsx'
import '../sessions/run.css'

interface ViewProps {
  readonly connection: string
}

/** Shows a terminal on a connection, as `runbook-agent connect` does. Asks for the reason first, if there has to be one. */
export default function TerminalView({ connection }: ViewProps) {
  const load = useCallback((signal: AbortSignal) => readConnection(connection, signal), [connection])
  const { value, error } = useLoaded(load)
  const [reason, setReason] = useState<string | undefined>(() => (hasTerminal(connection) ? '' : undefined))
  // The gateway decides about a connection that cannot be read.
  const need = value?.reason ?? (error === undefined ? undefined : null)
  if (value === undefined && error === undefined) return <Loading />
  if (need !== null && need !== undefined && reason === undefined)
    return <AskReason connection={connection} need={need} onReason={setReason} />
  return <Terminal connection={connection} reason={reason ?? ''} onAgain={() => setReason(undefined)} />
}

interface AskReasonProps extends ViewProps {
  readonly need: ReasonNeed
  readonly onReason: (reason: string) => void
}

function AskReason({ connection, need, onReason }: AskReasonProps) {
  const reason = useReason(need)
  const form = useRef<HTMLFormElement>(null)
  const open = (event: Event) => {
    event.preventDefault()
    if (reason.check()) onReason(reason.text)
    else focusOnProblem(form.current)
  }
  return (
    <section class="view">
      <header class="head">
        <Trail connection={connection} />
        <h1>
          Terminal on <Name>{connection}</Name>
        </h1>
      </header>
      <form ref={form} class="card" noValidate onSubmit={open}>
        <div class="card-body">
          <ReasonField reason={reason} />
        </div>
        <div class="card-foot line">
          <button type="submit" class="button is-primary">
            <Icon name="terminal" />
            Open the terminal
          </button>
        </div>
      </form>
    </section>
  )
}

interface TerminalProps extends ViewProps {
  readonly reason: string
  /** Called before another terminal opens. */
  readonly onAgain: () => void
}

function Terminal({ connection, reason, onAgain }: TerminalProps) {
  const [attempt, setAttempt] = useState(0)
  const [state, setState] = useState<TerminalState>({ kind: 'connecting' })
  const [asking, setAsking] = useState<Asking | undefined>(undefined)
  const fontSize = useFontSize()
  const place = useRef<HTMLDivElement>(null)
  const opened = useRef<Opened | undefined>(undefined)
  useEffect(() => {
    if (place.current === null) return undefined
    opened.current = begin(place.current, { connection, reason, fontSize: fontSize.size, tell: setState })
    return () => opened.current?.end()
  }, [connection, attempt])
  useEffect(() => opened.current?.resize(fontSize.size), [fontSize.size])
  const isOpen = LIVE.includes(state.kind)
  useEffect(() => {
    if (!isOpen) return undefined
    return askBeforeLeaving((leave) => setAsking({ isEnd: false, goOn: leave }))
  }, [isOpen])
  const end = () => {
    opened.current?.end()
    setState({ kind: 'ended', exitCode: undefined, message: 'You have closed the terminal' })
  }
  const again = () => {
    onAgain()
    setState({ kind: 'connecting' })
    setAttempt((count) => count + 1)
  }
  return (
    <section class="view terminal-view">
      <Head
        connection={connection}
        state={state}
        onEnd={() => setAsking({ isEnd: true, goOn: end })}
        onAgain={again}
      />
      <div class="line small">
        <p role="status" class="terminal-status">
          <StateText state={state} connection={connection} />
        </p>
        <TerminalTools
          find={(text, isBackwards) => opened.current?.find(text, isBackwards) ?? true}
          fontSize={fontSize}
        />
      </div>
      <div class="terminal fills" ref={place} role="group" aria-label="Terminal" />
      <p class="soft small">
        Keys go to the terminal while it has the focus. Press <kbd>Ctrl</kbd> <kbd>Shift</kbd> <kbd>Esc</kbd>{' '}
        to leave the terminal.
      </p>
      {asking !== undefined && <LeaveDialog asking={asking} onClose={() => setAsking(undefined)} />}
    </section>
  )
}

interface Asking {
  /** Whether the user chose End. In this case the view stays open. */
  readonly isEnd: boolean
  readonly goOn: () => void
}

/** Asks before a terminal is closed, because the terminal's command ends with it. */
function LeaveDialog({
  asking: { isEnd, goOn },
  onClose,
}: {
  readonly asking: Asking
  readonly onClose: () => void
}) {
  const does = isEnd ? 'End the terminal' : 'Leave the terminal'
  return (
    <DangerDialog
      title={`${does}?`}
      busy={false}
      error={undefined}
      keep="Stay"
      icon="leave"
      action={does}
      onAct={() => {
        onClose()
        goOn()
      }}
      onClose={onClose}
    >
      <p>The command in the terminal also ends. The session contains everything that was on the screen.</p>
    </DangerDialog>
  )
}

/** States in which the command ends if the user leaves the view. */
const LIVE: readonly string[] = ['open', 'waiting', 'reconnecting']

interface HeadProps {
  readonly connection: string
  readonly state: TerminalState
  readonly onEnd: () => void
  readonly onAgain: () => void
}

const KINDS = {
  connecting: 'running',
  reconnecting: 'waiting',
  elsewhere: 'closed',
  open: 'running',
  waiting: 'waiting',
  ended: 'closed',
  lost: 'failed',
} as const
const WORDS = {
  connecting: 'connecting',
  reconnecting: 'connecting again',
  elsewhere: 'in another tab',
  open: 'open',
  waiting: 'waits for approval',
  ended: 'closed',
  lost: 'connection lost',
} as const

function Head({ connection, state, onEnd, onAgain }: HeadProps) {
  const kind: StateKind = KINDS[state.kind]
  return (
    <header class="head">
      <Trail connection={connection} />
      <h1>
        Terminal on <Name>{connection}</Name>
      </h1>
      <State kind={kind}>{WORDS[state.kind]}</State>
      <div class="line push">
        {(state.kind === 'ended' || state.kind === 'lost' || state.kind === 'elsewhere') && (
          <button type="button" class="button" onClick={onAgain}>
            <Icon name="again" />
            Open another terminal
          </button>
        )}
        {LIVE.includes(state.kind) && (
          <button type="button" class="button is-danger" onClick={onEnd}>
            <Icon name="leave" />
            End
          </button>
        )}
      </div>
    </header>
  )
}

function Trail({ connection }: ViewProps) {
  return (
    <nav aria-label="Where you are">
      <ol class="trail">
        <li>
          <a href="/connections" aria-label="All connections">
            Connections
          </a>
        </li>
        <li>
          <Name>{connection}</Name>
        </li>
      </ol>
    </nav>
  )
}

interface Opened extends Pick<Screen, 'find'> {
  readonly resize: (fontSize: number) => void
  readonly end: () => void
}

interface Beginning {
  readonly connection: string
  readonly reason: string
  readonly fontSize: number
  readonly tell: (state: TerminalState) => void
}

/** Opens screen and connection. Both are closed when the user leaves the view. */
function begin(place: HTMLElement, { connection, reason, fontSize, tell }: Beginning): Opened {
  const screen = openScreen(place, { isRead: false, fontSize })
  const { terminal, fit } = screen
  const conversation = converse(connection, terminal, tell, reason)
  const observer = new ResizeObserver(fit)
  observer.observe(place)
  let isOver = false
  terminal.attachCustomKeyEventHandler((event) => {
    if (!(event.ctrlKey && event.shiftKey && event.key === 'Escape')) return true
    document.getElementById('main')?.focus()
    return false
  })
  terminal.focus()
  return {
    find: screen.find,
    resize: (size) => {
      if (isOver) return
      terminal.options.fontSize = size
      fit()
    },
    end: () => {
      conversation.end()
      if (isOver) return
      isOver = true
      observer.disconnect()
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
    case 'reconnecting':
      return (
        <>
          The connection to the gateway is lost. The command continues for 30 seconds, and this tab tries to
          reconnect. Keys that you type now are lost.
        </>
      )
    case 'elsewhere':
      return <>This terminal continues in another tab.</>
    case 'waiting':
      return (
        <>
          The terminal waits for an <a href={approvalPath(state.session)}>approval</a>. After the approval it
          opens automatically.
        </>
      )
    case 'open':
      return (
        <>
          Everything that you see is recorded in <a href={sessionPath(state.session)}>the session</a>.
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
        <>
          The connection to the gateway is lost, so the terminal has ended. Its result is in the{' '}
          <a href={sessionsOf(connection)}>sessions of this connection</a>.
        </>
      )
  }
}
