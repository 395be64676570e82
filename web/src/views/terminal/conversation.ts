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

/** A text message of the gateway about the terminal. */
interface Said {
  readonly type: string
  readonly session_id?: string
  readonly exit_code?: number | null
  readonly message?: string
  readonly bytes?: number
}

/** Maximum bytes of a frame that the gateway accepts. Longer pasted text is sent in several frames. */
const MAX_FRAME_BYTES = 32 * 1024
/**
 * How long the gateway keeps a terminal that has no connection. The tab tries to reconnect for the same time.
 */
const KEPT_MS = 30_000
const PAUSE_MS = 1000
/** Clears the screen of a terminal and resets all its modes (RIS of ECMA-48). */
const RESET = '\x1bc'
/** Close code that ends the terminal. After any other code the gateway waits until the tab reconnects. */
const NORMAL = 1000
/** The gateway's close code for a terminal that continues in another tab. */
const ELSEWHERE = 4000

/**
 * Connects the terminal to the gateway. Binary frames contain the bytes of the terminal. Text frames contain
 * messages about the terminal.
 */
export function converse(
  connection: string,
  terminal: Terminal,
  tellView: (state: TerminalState) => void,
  reason: string,
): Conversation {
  const kept = keptSession(connection)
  let socket: WebSocket
  let isOver = false
  let lostAt: number | undefined
  let retry: number | undefined
  /**
   * Number of bytes of a replay that are not drawn yet. Until all are drawn, no keys are sent. The replay may
   * contain old queries of programs, and the screen would send its answers to them again, as keys.
   */
  let replayed = 0
  const send = (data: string | Uint8Array<ArrayBuffer>) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(data)
  }
  const sendKeys = (bytes: Uint8Array<ArrayBuffer>) => {
    if (replayed > 0) return
    for (let start = 0; start < bytes.length; start += MAX_FRAME_BYTES)
      send(bytes.subarray(start, start + MAX_FRAME_BYTES))
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
    // Keys are disabled in all other states, because typed keys would be lost and the user would not notice.
    terminal.options.disableStdin = state.kind !== 'open' && state.kind !== 'connecting'
    tellView(state)
  }
  const hear = (said: Said) => {
    if (said.type === 'replay') {
      // Output of the previous socket may still wait to be drawn. `write` clears the screen after this
      // output, but `reset()` would clear it before.
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
      // Bytes of a previous socket do not count for the current one.
      if (from !== socket) return
      replayed = Math.max(0, replayed - bytes.length)
      tellTaken(bytes.length)
    })
  const lose = (code: number) => {
    if (isOver) return
    const session = kept.get()
    lostAt ??= Date.now()
    if (code === ELSEWHERE) tell({ kind: 'elsewhere' })
    else if (session === undefined || Date.now() - lostAt > KEPT_MS) tell({ kind: 'lost' })
    else {
      tell({ kind: 'reconnecting' })
      retry = window.setTimeout(() => open(session), PAUSE_MS)
    }
  }
  const open = (session: string | undefined) => {
    const opening = new WebSocket(addressOf(connection, { session, reason }))
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

/** Tells whether this tab has a terminal on the connection, to which it reconnects. */
export function hasTerminal(connection: string): boolean {
  return keptSession(connection).get() !== undefined
}

/** Stores the session id of this tab's terminal, so that the tab can reconnect after a reload. */
function keptSession(connection: string) {
  const name = `runbook-page-terminal ${connection}`
  return {
    get: () => sessionStorage.getItem(name) ?? undefined,
    set: (session: string) => sessionStorage.setItem(name, session),
    clear: () => sessionStorage.removeItem(name),
  }
}

/**
 * Adds up the bytes and reports the sum once in a turn of the event loop, because the screen draws many small
 * frames in one turn.
 */
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

interface AskedTerminal {
  /** The session of this tab's terminal, if it has one. */
  readonly session: string | undefined
  /** Empty if the user has given no reason. */
  readonly reason: string
}

function addressOf(connection: string, { session, reason }: AskedTerminal): string {
  const url = new URL(`/api/connections/${encodeURIComponent(connection)}/terminal`, location.href)
  if (session !== undefined) url.searchParams.set('session', session)
  else if (reason !== '') url.searchParams.set('reason', reason)
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
