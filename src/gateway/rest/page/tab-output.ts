import type { WebSocket } from '@fastify/websocket'

/**
 * Newest output that is kept for a tab that is loaded again. Output that the tab has not drawn is kept
 * besides.
 */
const KEPT_BYTES = 256 * 1024
/**
 * Smaller pieces of it are put together, because each piece costs some hundred bytes of memory, and a prompt
 * has three.
 */
const PIECE_BYTES = 4 * 1024

interface SentFrame {
  readonly bytes: number
  readonly taken: () => void
}

/**
 * Output of a terminal on its way to the screen of a tab, and the part of it that a tab draws when it is
 * loaded again.
 */
export class TabOutput {
  readonly #kept = new KeptOutput()
  /** Frames that were sent to the tab and not drawn on its screen yet, the oldest first. */
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

  /**
   * @param taken called when the screen of the tab has drawn the frame, or a tab that is loaded again was
   * sent it
   */
  send(frame: Buffer, taken: () => void): void {
    this.#kept.add(frame, this.#untakenBytes + frame.length)
    this.#put(frame, taken)
  }

  /**
   * Sends to this socket from now on, first the kept output: the former screen is gone.
   *
   * @param seen called when the network has taken a frame, a sign of life
   */
  attach(socket: WebSocket, seen: () => void): void {
    this.#socket = socket
    this.#seen = seen
    const undrawn = this.#frames
    ;[this.#frames, this.#begun, this.#untakenBytes] = [[], 0, 0]
    const kept = this.#kept.text()
    if (kept.length > 0) {
      socket.send(JSON.stringify({ type: 'replay', bytes: kept.length }))
      // Nothing else makes room: what is kept would grow with each socket of a tab that draws nothing.
      this.#put(kept, () => {
        for (const { taken } of undrawn) taken()
      })
    }
  }

  /** Stops sending until the next `attach`. */
  detach(): void {
    this.#socket = undefined
  }

  /** Stops waiting for the screen. */
  release(): void {
    this.#isReleased = true
    for (const { taken } of this.#frames.splice(0)) taken()
  }

  /** Notes bytes that the screen has drawn. @returns false for more bytes than were sent */
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
/**
 * Private modes of a terminal that are switched on and off: ESC [ ? 1049 h. The longest match has 64 bytes.
 */
const MODES = new RegExp(`${ESCAPE}\\[\\?([\\d;]{1,60})([hl])`, 'g')
const LONGEST_MODE_BYTES = 64
/** Modes that a program may switch; more are not remembered. */
const MOST_MODES = 100

/**
 * The newest bytes, and the modes that older bytes have switched on: the other screen, the mouse, the hidden
 * cursor.
 */
class KeptOutput {
  #pieces: Buffer[] = []
  #bytes = 0
  #modes = new Map<string, string>()
  /** End of the dropped output, where a mode may begin. */
  #rest = ''
  #isCut = false

  get isCut(): boolean {
    return this.#isCut
  }

  /** @param undrawn number of newest bytes that are kept in any case */
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

  /**
   * Remembers the modes in dropped output. A mode that is cut in two is found when its rest is dropped as
   * well.
   */
  #remember(text: string): void {
    let end = 0
    for (const { 0: all, 1: modes = '', 2: state = '', index } of text.matchAll(MODES)) {
      for (const mode of modes.split(';')) {
        this.#modes.delete(mode)
        if (this.#modes.size < MOST_MODES) this.#modes.set(mode, state)
      }
      end = index + all.length
    }
    this.#rest = text.slice(Math.max(end, text.length - LONGEST_MODE_BYTES))
  }
}
