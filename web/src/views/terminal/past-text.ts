import type { IBuffer, IMarker, Terminal } from '@xterm/xterm'

export interface PastLine {
  text: string
  /** Seconds from the beginning of the terminal to the end of the line, or to its last change. */
  at: number
  /** Whether a program that uses the whole screen has shown the line, such as vim or less. */
  readonly isScreen: boolean
  /** Length of the prompt if a command follows it. */
  readonly prompt: number | undefined
}

/** Maximum number of lines, and of their characters. A program can show a large file again at every key. */
const MAX_LINES = 500_000
const MAX_CHARACTERS = 32 * 1024 * 1024
/** A longer line goes on in the next one. */
const MAX_LINE_CHARACTERS = 10_000
/**
 * Rows that the terminal keeps above the screen. They are read after each piece of output, which can add a row for
 * each of its bytes.
 */
export const KEPT_ROWS = 10_000
export const MAX_PIECE_BYTES = 4 * 1024
/** Minimum pause in seconds after which a person has seen the screen. */
const SEEN_S = 0.25
/** A prompt is what a terminal shows before a pause of the person who types. */
const PROMPT = /^.{0,200}[$#%>❯➜] $/u
const ALTERNATE_SCREENS: ReadonlySet<unknown> = new Set([47, 1047, 1049])

interface ShownRow {
  readonly text: string
  readonly line: PastLine | undefined
}

/**
 * Reads the lines that a terminal shows while a recording is written to it. A line of the shell has the text that
 * it had when it left the screen or when the screen was cleared. A program that uses the whole screen has no such
 * lines: of each screen that a person could see, the rows that were not on the screen before become lines.
 */
export class PastText {
  readonly lines: PastLine[] = []
  readonly #terminal: Terminal
  /** Rows have absolute numbers, which count the rows that the terminal does not keep any more. */
  #gone = 0
  /** A row above the screen, by which the terminal tells how many rows it has dropped. */
  #mark: { readonly marker: IMarker; readonly row: number } | undefined
  /** All rows before this one are in `lines`, or in `#open`. */
  #taken = 0
  #open = ''
  #openFrom: number | undefined
  readonly #times = new Map<number, number>()
  readonly #prompts = new Map<number, string>()
  /** The rows of the whole-screen program that became lines last. */
  #shown: readonly ShownRow[] = []
  #now = 0
  #characters = 0
  #cutAt: number | undefined

  /** @param terminal a terminal that is not opened, keeps `KEPT_ROWS`, and has no output yet */
  constructor(terminal: Terminal) {
    this.#terminal = terminal
    const { parser } = terminal
    terminal.onLineFeed(() => this.#fed())
    parser.registerCsiHandler({ final: 'J' }, ([how]) => this.#erases(how))
    parser.registerCsiHandler({ prefix: '?', final: 'h' }, (modes) => this.#switches(modes, true))
    parser.registerCsiHandler({ prefix: '?', final: 'l' }, (modes) => this.#switches(modes, false))
    parser.registerEscHandler({ final: 'c' }, () => this.#resets())
  }

  /** The time from which on lines are missing, because there were too many. */
  get cutAt(): number | undefined {
    return this.#cutAt
  }

  /** The output that the terminal gets next was written at this time. */
  begin(at: number): void {
    this.#now = at
  }

  /** @param pause seconds until the next output */
  wrote(pause: number): void {
    this.#take(this.#first(this.#normal.baseY))
    this.#remark()
    if (pause < SEEN_S) return
    if (this.#isAlternate) this.#look()
    else this.#notePrompt()
  }

  resize(cols: number, rows: number): void {
    if (this.#isAlternate) this.#look()
    // Wrapped rows are laid out anew, so only the line of the cursor has a place after the change.
    this.#take(this.#lineOfCursor)
    this.#terminal.resize(cols, rows)
    this.#unmark()
    this.#taken = this.#lineOfCursor
    this.#times.clear()
    this.#prompts.clear()
    this.#remark()
  }

  end(): void {
    if (this.#isAlternate) this.#look()
    this.#takeScreen()
  }

  get #normal(): IBuffer {
    return this.#terminal.buffer.normal
  }

  get #isAlternate(): boolean {
    return this.#terminal.buffer.active.type === 'alternate'
  }

  /** Absolute number of a row of the normal screen. */
  #first(row: number): number {
    return row + this.#gone + (this.#mark === undefined ? 0 : this.#mark.row - this.#mark.marker.line)
  }

  #rowAt(absolute: number) {
    return this.#normal.getLine(absolute - this.#first(0))
  }

  #remark(): void {
    const { baseY, cursorY } = this.#normal
    if (this.#isAlternate || baseY === 0 || this.#mark?.marker.line === baseY - 1) return
    this.#unmark()
    const marker = this.#terminal.registerMarker(-cursorY - 1)
    this.#mark = { marker, row: marker.line }
  }

  #unmark(): void {
    this.#gone = this.#first(0)
    this.#mark?.marker.dispose()
    this.#mark = undefined
  }

  /** The first row of the line in which the cursor is. */
  get #lineOfCursor(): number {
    const { baseY, cursorY } = this.#normal
    let row = baseY + cursorY
    while (row > 0 && this.#normal.getLine(row)?.isWrapped === true) row -= 1
    return this.#first(row)
  }

  #fed(): void {
    if (this.#isAlternate) return
    const { baseY, cursorY } = this.#normal
    this.#times.set(this.#first(baseY + cursorY - 1), this.#now)
  }

  /** @returns whether the terminal erases nothing */
  #erases(how: unknown): boolean {
    // The lines above the screen are erased, which the record still has.
    if (how === 3) return true
    const { cursorX, cursorY } = this.#normal
    const isAll = how === 2 || ((how === 0 || how === undefined) && cursorX === 0 && cursorY === 0)
    if (isAll && !this.#isAlternate) this.#takeScreen()
    return false
  }

  #switches(modes: readonly unknown[], toAlternate: boolean): boolean {
    if (!modes.some((mode) => ALTERNATE_SCREENS.has(mode)) || toAlternate === this.#isAlternate) return false
    if (toAlternate) this.#take(this.#lineOfCursor)
    else this.#look()
    this.#shown = []
    return false
  }

  #resets(): boolean {
    if (this.#isAlternate) this.#look()
    this.#takeScreen()
    this.#unmark()
    this.#gone = 0
    this.#taken = 0
    this.#shown = []
    return false
  }

  /** Takes all lines of the screen. What is on the screen afterwards is new. */
  #takeScreen(): void {
    const { baseY } = this.#normal
    let rows = this.#terminal.rows
    while (rows > 0 && (this.#normal.getLine(baseY + rows - 1)?.translateToString(true) ?? '') === '')
      rows -= 1
    const first = this.#first(baseY)
    this.#take(first + rows)
    this.#close(first + rows - 1)
    this.#taken = first
    this.#times.clear()
    this.#prompts.clear()
  }

  #take(until: number): void {
    for (let row = this.#taken; row < until; row += 1) {
      const line = this.#rowAt(row)
      const goesOn = this.#rowAt(row + 1)?.isWrapped === true
      this.#openFrom ??= row
      this.#open += goesOn ? wholeRow(line) : (line?.translateToString(true) ?? '')
      if (!goesOn || this.#open.length > MAX_LINE_CHARACTERS) this.#close(row)
    }
    this.#taken = Math.max(this.#taken, until)
  }

  #close(lastRow: number): void {
    if (this.#openFrom === undefined) return
    const text = this.#open.trimEnd()
    const prompt = this.#prompts.get(this.#openFrom)
    const hasCommand = prompt !== undefined && text.length > prompt.length && text.startsWith(prompt)
    this.#add({
      text,
      at: this.#times.get(lastRow) ?? this.#now,
      isScreen: false,
      prompt: hasCommand ? prompt.length : undefined,
    })
    for (let row = this.#openFrom; row <= lastRow; row += 1) {
      this.#times.delete(row)
      this.#prompts.delete(row)
    }
    this.#open = ''
    this.#openFrom = undefined
  }

  #add(line: PastLine): void {
    if (this.lines.length >= MAX_LINES || this.#characters > MAX_CHARACTERS) {
      this.#cutAt ??= this.#now
      return
    }
    this.lines.push(line)
    this.#characters += line.text.length
  }

  #notePrompt(): void {
    const { baseY, cursorX, cursorY } = this.#normal
    const row = this.#first(baseY + cursorY)
    const text = this.#rowAt(row)?.translateToString(false, 0, cursorX) ?? ''
    if (PROMPT.test(text) && !this.#prompts.has(row)) this.#prompts.set(row, text)
  }

  /** Adds the rows that were not on the screen when it was looked at before. */
  #look(): void {
    const { active } = this.#terminal.buffer
    const texts = Array.from({ length: this.#terminal.rows }, (_, row) =>
      (active.getLine(active.baseY + row)?.translateToString(true) ?? '').trimEnd(),
    )
    while (texts.at(-1) === '') texts.pop()
    const before = this.#shown
    const moved = new Moved(before.filter(({ text }, row) => text !== texts[row]))
    let isNew = before.length === 0
    this.#shown = texts.map((text, row) => {
      const same = before[row]?.text === text ? before[row] : moved.take(text)
      const typed = same ?? this.#typed(before[row], text, row)
      if (typed !== undefined || (text === '' && !isNew)) {
        isNew = false
        return typed ?? { text, line: undefined }
      }
      isNew = true
      const line = { text, at: this.#now, isScreen: true, prompt: undefined }
      this.#add(line)
      return { text, line }
    })
  }

  /** A line that somebody goes on to type is one line. */
  #typed(before: ShownRow | undefined, text: string, row: number): ShownRow | undefined {
    const { active } = this.#terminal.buffer
    const line = before?.line
    const isAtEnd = active.cursorY === row && active.cursorX >= text.length
    if (line === undefined || before?.text === '' || !isAtEnd || !text.startsWith(line.text)) return undefined
    this.#characters += text.length - line.text.length
    line.text = text
    line.at = this.#now
    return { text, line }
  }
}

/** Rows that may be at another place of the screen now. */
class Moved {
  readonly #rows = new Map<string, ShownRow[]>()

  constructor(rows: readonly ShownRow[]) {
    for (const row of rows) {
      const alike = this.#rows.get(row.text)
      if (alike === undefined) this.#rows.set(row.text, [row])
      else alike.push(row)
    }
  }

  take(text: string): ShownRow | undefined {
    return text === '' ? undefined : this.#rows.get(text)?.pop()
  }
}

/** A wide character that has no room in the last column leaves it empty. */
function wholeRow(line: ReturnType<IBuffer['getLine']>): string {
  if (line === undefined) return ''
  const isEmpty = line.getCell(line.length - 1)?.getCode() === 0
  const isHalf = line.getCell(line.length - 1)?.getWidth() === 0
  return line.translateToString(false, 0, isEmpty && !isHalf ? line.length - 1 : line.length)
}
