import { expect, it } from 'vitest'
import { Keyboard } from '../../../src/agent/running/keyboard.ts'

it.each([0, 1])(
  'the memory of keys before the terminal is bounded, also in packets of %d bytes',
  (length) => {
    const keyboard = new Keyboard()
    const data = Buffer.alloc(length)
    let taken = 0
    while (taken < 100_000 && keyboard.type(data)) taken += 1
    expect(taken).toBeGreaterThan(10_000)
    expect(taken).toBeLessThan(20_000)
  },
)
