import type { WebSocket } from '@fastify/websocket'

/**
 * Size of the newest output that is kept for a tab that is reloaded. Output that the tab has not drawn is
 * always kept.
 */
const KEPT_BYTES = 256 * 1024
/**
 * Pieces are joined up to this size. Each piece costs some hundred bytes of memory, and a prompt has three
 * pieces.
 */
const PIECE_BYTES = 4 * 1024

interface SentFrame {
  readonly bytes: number
  readonly taken: () => void
}

/** Output on its way to the screen of a tab. Keeps the newest output for a tab that is reloaded. */
export class TabOutput {
  readonly #kept = new KeptOutput()
  /** Frames that were sent to the tab, but are not drawn on its screen yet, oldest first. */
  #frames: SentFrame[] = []
  /** Bytes already taken from the oldest frame. */
  #begun = 0
  #untakenBytes = 0
  #isReleased = false
  #socket: WebSocket | undefined
  #seen: () => void = () => undefined

  /** Whether some output is no longer kept. */
  get isCut(): boolean {
    return this.#kept.isCut
  }

  /** @param taken called when the screen of the tab has drawn the frame */
  send(frame: Buffer, taken: () => void): void {
    this.#kept.add(frame, this.#untakenBytes + frame.length)
    this.#put(frame, taken)
  }

  /**
   * Sends the kept output first, because the former screen is gone.
   * @param seen called when a frame was sent to the network, which is a sign of life
   */
  attach(socket: WebSocket, seen: () => void): void {
    this.#socket = socket
    this.#seen = seen
    const undrawn = this.#frames
    ;[this.#frames, this.#begun, this.#untakenBytes] = [[], 0, 0]
    const kept = this.#kept.text()
    if (kept.length > 0) {
      socket.send(JSON.stringify({ type: 'replay', bytes: kept.length }))
      // The kept output repeats the undrawn frames, so these frames end when the kept output is drawn.
      // Otherwise each reload would add to them.
      this.#put(kept, () => {
        for (const { taken } of undrawn) taken()
      })
    }
  }

  detach(): void {
    this.#socket = undefined
  }

  /** Stops waiting until the screen has drawn the frames. */
  release(): void {
    this.#isReleased = true
    for (const { taken } of this.#frames.splice(0)) taken()
  }

  /** Counts drawn bytes. @returns false if more bytes were drawn than sent */
  take(bytes: number): boolean {
    if (this.#isReleased) return true
    if (bytes > this.#untakenBytes) return false
    this.#untakenBytes -= bytes
    this.#begun += bytes
    for (
      let [oldest] = this.#frames;
      oldest !== undefined && oldest.bytes <= this.#begun;
      [oldest] = this.#frames
    ) {
      this.#frames.shift()
      this.#begun -= oldest.bytes
      oldest.taken()
    }
    return true
  }

  #put(frame: Buffer, taken: () => void): void {
    const isDrawn = !this.#isReleased
    if (isDrawn) {
      this.#frames.push({ bytes: frame.length, taken })
      this.#untakenBytes += frame.length
    }
    if (this.#socket === undefined) {
      if (!isDrawn) taken()
      return
    }
    const seen = this.#seen
    this.#socket.send(frame, { binary: true }, () => {
      seen()
      if (!isDrawn) taken()
    })
  }
}

const ESCAPE = '\x1b'
/** Private modes that are switched on or off, for example ESC [ ? 1049 h. A match has at most 64 bytes. */
const MODES = new RegExp(`${ESCAPE}\\[\\?([\\d;]{1,60})([hl])`, 'g')
const MAX_MODE_BYTES = 64
const MAX_MODES = 100

/**
 * Keeps the newest bytes. Also keeps the modes that older bytes have switched on: alternate screen, mouse,
 * hidden cursor.
 */
class KeptOutput {
  #pieces: Buffer[] = []
  #bytes = 0
  #modes = new Map<string, string>()
  /** End of the dropped output. It is kept, because a mode may begin there. */
  #rest = ''
  #isCut = false

  get isCut(): boolean {
    return this.#isCut
  }

  /** @param undrawn newest bytes that are kept in any case */
  add(piece: Buffer, undrawn: number): void {
    const last = this.#pieces.at(-1)
    if (last !== undefined && last.length + piece.length <= PIECE_BYTES)
      this.#pieces.splice(-1, 1, Buffer.concat([last, piece]))
    else this.#pieces.push(piece)
    this.#bytes += piece.length
    const most = Math.max(KEPT_BYTES, undrawn)
    while (this.#bytes > most) this.#cut(this.#bytes - most)
  }

  text(): Buffer {
    const modes = [...this.#modes].map(([mode, state]) => `\x1b[?${mode}${state}`).join('')
    return Buffer.concat([Buffer.from(modes), ...this.#pieces])
  }

  #cut(most: number): void {
    const [oldest = Buffer.alloc(0)] = this.#pieces
    const gone = oldest.subarray(0, most)
    if (gone.length === oldest.length) this.#pieces.shift()
    else this.#pieces[0] = oldest.subarray(gone.length)
    this.#bytes -= gone.length
    this.#isCut = true
    this.#remember(this.#rest + gone.toString('latin1'))
  }

  /** A mode that is cut in two is found when its second part is dropped. */
  #remember(text: string): void {
    let end = 0
    for (const { 0: all, 1: modes = '', 2: state = '', index } of text.matchAll(MODES)) {
      for (const mode of modes.split(';')) {
        this.#modes.delete(mode)
        if (this.#modes.size < MAX_MODES) this.#modes.set(mode, state)
      }
      end = index + all.length
    }
    this.#rest = text.slice(Math.max(end, text.length - MAX_MODE_BYTES))
  }
}
