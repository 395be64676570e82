import type { Terminal } from '@xterm/xterm'

export type TerminalState =
  | { readonly kind: 'connecting' | 'lost' }
  | { readonly kind: 'waiting'; readonly session: string }
  | { readonly kind: 'open'; readonly session: string }
  | { readonly kind: 'ended'; readonly exitCode: number | undefined; readonly message: string }

export interface Conversation {
  readonly end: () => void
}

/** What the gateway says beside the bytes of the terminal. */
interface Said {
  readonly type: string
  readonly session_id?: string
  readonly exit_code?: number | null
  readonly message?: string
}

/** What is pasted goes in pieces: the gateway takes no larger ones. */
const LARGEST_FRAME = 32 * 1024

/** Connects a screen with the gateway. Bytes are the terminal's, texts are about it. */
export function converse(
  connection: string,
  terminal: Terminal,
  tell: (state: TerminalState) => void,
): Conversation {
  const socket = new WebSocket(addressOf(connection))
  socket.binaryType = 'arraybuffer'
  let isOver = false
  const send = (data: string | Uint8Array<ArrayBuffer>) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(data)
  }
  const sendKeys = (bytes: Uint8Array<ArrayBuffer>) => {
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
  socket.onopen = resize
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (typeof data !== 'string') {
      terminal.write(new Uint8Array(data), () => tellTaken(data.byteLength))
      return
    }
    const state = stateOf(JSON.parse(data) as Said)
    isOver ||= state?.kind === 'ended'
    if (state !== undefined) tell(state)
  }
  socket.onclose = () => {
    if (!isOver) tell({ kind: 'lost' })
  }
  return {
    end: () => {
      isOver = true
      for (const listener of listeners) listener.dispose()
      socket.close()
    },
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

function addressOf(connection: string): string {
  const url = new URL(`/api/connections/${encodeURIComponent(connection)}/terminal`, location.href)
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
