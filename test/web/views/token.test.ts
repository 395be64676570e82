import { describe, expect, it } from 'vitest'
import type { Token } from '../../../web/src/api/types.ts'
import { daysLeft } from '../../../web/src/views/tokens/token.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** @param lifetime in days */
function tokenOf(lifetime: number): Token {
  const times = {
    created_at: new Date(0).toISOString(),
    expires_at: new Date(lifetime * DAY_MS).toISOString(),
  }
  return { kind: 'personal', status: 'active', ...times } as Token
}

describe('a token', () => {
  it.each([
    [7, 0, undefined],
    [7, 5, 2],
    [30, 15, undefined],
    [30, 21, 9],
    [365, 350, undefined],
    [365, 352, 13],
  ])('that lives %d days expires soon after %d days: %s', (lifetime, age, left) => {
    expect(daysLeft(tokenOf(lifetime), age * DAY_MS)).toBe(left)
  })
})
