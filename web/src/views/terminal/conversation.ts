import type { Terminal } from '@xterm/xterm'

export type TerminalState =
  | { readonly kind: 'connecting' | 'reconnecting' | 'lost' | 'elsewhere' }
  | { readonly kind: 'waiting'; readonly session: string }
  | { readonly kind: 'open'; readonly session: string }
  | { readonly kind: 'ended'; readonly exitCode: number | undefined; readonly message: string }

export interface Conversation {
  /** Ends the terminal and its command. */
  readonly end: () => void
}

/** What the gateway says beside the bytes of the terminal. */
interface Said {
  readonly type: string
  readonly session_id?: string
  readonly exit_code?: number | null
  readonly message?: string
  readonly bytes?: number
}

/** What is pasted goes in pieces: the gateway takes no larger ones. */
const LARGEST_FRAME = 32 * 1024
/** How long the gateway keeps a terminal whose tab is away, and how long this tab therefore tries. */
const KEPT_MS = 30_000
const PAUSE_MS = 1000
/** Takes everything from the screen of a terminal and all its modes (RIS of ECMA-48). */
const RESET = '\x1bc'
/** The close that ends a terminal: with another one the gateway waits for the tab. */
const NORMAL = 1000
/** The gateway's close of a terminal that goes on in another tab. */
const ELSEWHERE = 4000

/** Connects a screen with the gateway. Bytes are the terminal's, texts are about it. */
export function converse(
  connection: string,
  terminal: Terminal,
  tellView: (state: TerminalState) => void,
): Conversation {
  const kept = keptSession(connection)
  let socket: WebSocket
  let isOver = false
  let lostAt: number | undefined
  let retry: number | undefined
  /** Bytes of a replay that the screen has not drawn: its answers to old questions are not for the program. */
  let replayed = 0
  const send = (data: string | Uint8Array<ArrayBuffer>) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(data)
  }
  const sendKeys = (bytes: Uint8Array<ArrayBuffer>) => {
    if (replayed > 0) return
    for (let start = 0; start < bytes.length; start += LARGEST_FRAME)
      send(bytes.subarray(start, start + LARGEST_FRAME))
  }
  const resize = () => send(JSON.stringify({ type: 'resize', rows: terminal.rows, cols: terminal.cols }))
  const tellTaken = coalesced((bytes) => send(JSON.stringify({ type: 'taken', bytes })))
  const encoder = new TextEncoder()
  const listeners = [
    terminal.onData((text) => sendKeys(encoder.encode(text))),
    terminal.onBinary((text) => sendKeys(Uint8Array.from(text, (character) => character.charCodeAt(0)))),
    terminal.onResize(resize),
  ]
  const tell = (state: TerminalState) => {
    // Keys that nobody takes would be lost without a word.
    terminal.options.disableStdin = state.kind !== 'open' && state.kind !== 'connecting'
    tellView(state)
  }
  const hear = (said: Said) => {
    if (said.type === 'replay') {
      // In the order of what is written: what the former socket has sent may still wait to be drawn.
      terminal.write(RESET)
      replayed = said.bytes ?? 0
    }
    const state = stateOf(said)
    if (state === undefined) return
    lostAt = undefined
    if (state.kind === 'open' || state.kind === 'waiting') kept.set(state.session)
    if (state.kind === 'ended') isOver = true
    if (isOver) kept.clear()
    tell(state)
  }
  const draw = (bytes: Uint8Array<ArrayBuffer>, from: WebSocket) =>
    terminal.write(bytes, () => {
      // The next socket counts anew.
      if (from !== socket) return
      replayed = Math.max(0, replayed - bytes.length)
      tellTaken(bytes.length)
    })
  const lose = (code: number) => {
    if (isOver) return
    const session = kept.get()
    lostAt ??= Date.now()
    if (code === ELSEWHERE) return tell({ kind: 'elsewhere' })
    if (session === undefined || Date.now() - lostAt > KEPT_MS) return tell({ kind: 'lost' })
    tell({ kind: 'reconnecting' })
    retry = window.setTimeout(() => open(session), PAUSE_MS)
  }
  const open = (session: string | undefined) => {
    const opening = new WebSocket(addressOf(connection, session))
    socket = opening
    opening.binaryType = 'arraybuffer'
    opening.onopen = resize
    opening.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') hear(JSON.parse(data) as Said)
      else draw(new Uint8Array(data), opening)
    }
    opening.onclose = ({ code }) => lose(code)
  }
  open(kept.get())
  return {
    end: () => {
      isOver = true
      clearTimeout(retry)
      for (const listener of listeners) listener.dispose()
      kept.clear()
      socket.close(NORMAL)
    },
  }
}

/** The session of this tab's terminal, which the tab knows after it was loaded again. */
function keptSession(connection: string) {
  const name = `runbook-page-terminal ${connection}`
  return {
    get: () => sessionStorage.getItem(name) ?? undefined,
    set: (session: string) => sessionStorage.setItem(name, session),
    clear: () => sessionStorage.removeItem(name),
  }
}

/** The sum of what comes in one turn, at its end: the screen takes many small frames at once. */
function coalesced(tell: (bytes: number) => void): (bytes: number) => void {
  let sum = 0
  return (bytes) => {
    if (sum === 0)
      queueMicrotask(() => {
        tell(sum)
        sum = 0
      })
    sum += bytes
  }
}

function addressOf(connection: string, session: string | undefined): string {
  const url = new URL(`/api/connections/${encodeURIComponent(connection)}/terminal`, location.href)
  if (session !== undefined) url.searchParams.set('session', session)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}

function stateOf({
  type,
  session_id: session,
  exit_code: code,
  message = '',
}: Said): TerminalState | undefined {
  if (type === 'opened') return { kind: 'open', session: session ?? '' }
  if (type === 'waiting') return { kind: 'waiting', session: session ?? '' }
  if (type === 'approved') return { kind: 'connecting' }
  if (type === 'ended') return { kind: 'ended', exitCode: code ?? undefined, message }
  return undefined
}
