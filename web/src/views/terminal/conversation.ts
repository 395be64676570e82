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

/** A message of the gateway besides the bytes of the terminal. */
interface Said {
  readonly type: string
  readonly session_id?: string
  readonly exit_code?: number | null
  readonly message?: string
  readonly bytes?: number
}

/** Pasted text is sent in pieces of this size, because the gateway accepts no larger frames. */
const LARGEST_FRAME = 32 * 1024
/** Time for which the gateway keeps a terminal without its tab. The tab retries for the same time. */
const KEPT_MS = 30_000
const PAUSE_MS = 1000
/** Clears the screen of a terminal and resets all its modes (RIS of ECMA-48). */
const RESET = '\x1bc'
/** The close code that ends a terminal: after another code the gateway waits for the tab. */
const NORMAL = 1000
/** The gateway's close code for a terminal that continues in another tab. */
const ELSEWHERE = 4000

/**
 * Connects a screen with the gateway. Binary frames are the terminal's bytes, texts are messages about it.
 */
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
  /** Bytes of a replay that the screen has not drawn: its answers to old queries are not for the program. */
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
    // Without this, keys would be lost silently.
    terminal.options.disableStdin = state.kind !== 'open' && state.kind !== 'connecting'
    tellView(state)
  }
  const hear = (said: Said) => {
    if (said.type === 'replay') {
      // Written in order: output of the former socket may still wait to be drawn.
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
      // Each socket counts its own bytes.
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

/** The session of this tab's terminal. The tab still knows it after a reload. */
function keptSession(connection: string) {
  const name = `runbook-page-terminal ${connection}`
  return {
    get: () => sessionStorage.getItem(name) ?? undefined,
    set: (session: string) => sessionStorage.setItem(name, session),
    clear: () => sessionStorage.removeItem(name),
  }
}

/**
 * Sums the bytes of one turn and reports them at its end, because the screen takes many small frames
 * together.
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
