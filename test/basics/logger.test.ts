import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RepeatedWarnings } from '../../src/basics/logger.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('RepeatedWarnings', () => {
  it('says a warning once, and how often it came when the minute is over', () => {
    const said: [object, string][] = []
    const warnings = new RepeatedWarnings({ warn: (...line) => void said.push(line) })
    for (let i = 0; i < 10_000; i++) warnings.warn({ from: 'a' }, 'refused')
    expect(said).toEqual([[{ from: 'a' }, 'refused']])
    vi.advanceTimersByTime(60_000)
    expect(said.slice(1)).toEqual([[{ from: 'a', repeats: 9999 }, 'refused: repeated in the last minute']])
    warnings.warn({ from: 'a' }, 'refused')
    vi.advanceTimersByTime(60_000)
    expect(said.slice(2)).toEqual([[{ from: 'a' }, 'refused']])
  })

  it('tells twenty kinds apart, and counts the others together', () => {
    const said: [object, string][] = []
    const warnings = new RepeatedWarnings({ warn: (...line) => void said.push(line) })
    for (let i = 0; i < 10_000; i++) warnings.warn({ from: i }, 'refused')
    vi.advanceTimersByTime(60_000)
    expect(said).toHaveLength(21)
    expect(said.at(-1)).toEqual([{ warnings: 9980 }, 'more warnings in the last minute'])
  })
})
