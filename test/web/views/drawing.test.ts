import { describe, expect, it } from 'vitest'
import { Drawing } from '../../../web/src/views/terminal/drawing.ts'
import type { Happening } from '../../../web/src/views/terminal/recording.ts'
import { waitFor } from '../../support/wait.ts'

/** A screen that takes what is written only when it is told to. */
class SlowScreen {
  readonly drawn: string[] = []
  waitingBytes = 0
  readonly #waiting: (() => void)[] = []

  reset(): void {
    this.drawn.push('reset')
  }

  resize(cols: number, rows: number): void {
    this.drawn.push(`${cols}x${rows}`)
  }

  write(bytes: Uint8Array | string, taken: () => void = () => undefined): void {
    this.waitingBytes += bytes.length
    this.#waiting.push(() => {
      this.waitingBytes -= bytes.length
      this.drawn.push(Buffer.from(bytes).toString().slice(0, 5))
      taken()
    })
  }

  /** @returns whether anything waited */
  take(): boolean {
    const waiting = this.#waiting.splice(0)
    for (const one of waiting) one()
    return waiting.length > 0
  }
}

function output(text: string): Happening {
  return { at: 0, kind: 'output', bytes: new Uint8Array(Buffer.from(text)) }
}

const size: Happening = { at: 0, kind: 'size', cols: 90, rows: 30 }

describe('the drawing of a terminal', () => {
  it('gives the screen a part at a time, and draws all of it', async () => {
    const screen = new SlowScreen()
    const pieces = Array.from({ length: 200 }, (_, at) => output(`${at}`.padEnd(64 * 1024)))
    new Drawing(screen, pieces).show(pieces.length)
    while (screen.drawn.length < pieces.length) {
      await waitFor(() => screen.waitingBytes > 0)
      expect(screen.waitingBytes).toBeLessThanOrEqual(512 * 1024)
      screen.take()
    }
    expect(screen.drawn.map(Number)).toEqual(pieces.map((_, at) => at))
  })

  it('changes the size behind the output before it', async () => {
    const screen = new SlowScreen()
    new Drawing(screen, [output('one'), size, output('two')]).show(3)
    await waitFor(() => {
      screen.take()
      return screen.drawn.length === 3
    })
    expect(screen.drawn).toEqual(['one', '90x30', 'two'])
  })

  it('goes back when the screen has taken what it was given', async () => {
    const screen = new SlowScreen()
    const drawing = new Drawing(screen, [output('one'), size, output('two')])
    drawing.show(3)
    drawing.show(1)
    await waitFor(() => {
      screen.take()
      return screen.drawn.length === 1
    })
    drawing.show(0)
    await waitFor(() => screen.drawn.length > 1)
    expect(screen.drawn).toEqual(['one', 'reset'])
  })

  it('gives a screen that is gone nothing more', async () => {
    const screen = new SlowScreen()
    const drawing = new Drawing(screen, [output('one'), size, output('two')])
    drawing.show(3)
    drawing.end()
    screen.take()
    drawing.show(2)
    await new Promise(setImmediate)
    expect(screen.take()).toBe(false)
    expect(screen.drawn).toEqual(['one'])
  })
})
