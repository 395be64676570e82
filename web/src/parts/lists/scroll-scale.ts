/** Maximum height of an element. Browsers draw nothing beyond some 16 or 33 million pixels. */
const TALLEST_PX = 8_000_000
/** Maximum length of a step of the scroll bar, in heights of the view. A longer move is a jump. */
const STEP_HEIGHTS = 4

/**
 * The place in a list that may be taller than a browser can scroll. In a short list, the place is the
 * position of the scroll bar. In a taller list, a short step of the scroll bar moves the list by the same
 * number of pixels. A jump moves to the same fraction of the list.
 */
export class ScrollScale {
  readonly total: number
  readonly view: number
  readonly #before: ScrollPlace

  constructor(total: number, view: number, before: ScrollPlace = START) {
    this.total = total
    this.view = view
    this.#before = before
  }

  /** The height of the scrolling element. */
  get height(): number {
    return Math.min(this.total, TALLEST_PX)
  }

  get #longest(): number {
    return Math.max(0, this.total - this.view)
  }

  get #longestBar(): number {
    return Math.max(0, this.height - this.view)
  }

  /** Returns the place for a position of the scroll bar. */
  at(bar: number): ScrollPlace {
    if (this.height === this.total) return { bar, top: bar }
    if (bar <= 0) return { bar, top: 0 }
    if (bar >= this.#longestBar - 1) return { bar, top: this.#longest }
    const step = bar - this.#before.bar
    const isStep = Math.abs(step) <= STEP_HEIGHTS * this.view
    const top = isStep ? this.#before.top + step : (bar / this.#longestBar) * this.#longest
    return { bar, top: Math.min(this.#longest, Math.max(0, top)) }
  }

  /** Returns the position of the scroll bar for a place in the list. */
  to(top: number): ScrollPlace {
    const place = Math.min(this.#longest, Math.max(0, top))
    const bar = this.height === this.total ? place : (place / this.#longest) * this.#longestBar
    return { bar: Math.round(bar), top: place }
  }
}

export interface ScrollPlace {
  /** The element's `scrollTop`. */
  readonly bar: number
  /** Pixels of the list above the view. */
  readonly top: number
}

export const START: ScrollPlace = { bar: 0, top: 0 }
