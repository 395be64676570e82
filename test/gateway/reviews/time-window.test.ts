import { expect, it } from 'vitest'
import { isInside, minutesOf } from '../../../src/gateway/reviews/time-window.ts'

it.each([
  ['01:00', '01:05', '00:59:59', false],
  ['01:00', '01:05', '01:00:00', true],
  ['01:00', '01:05', '01:05:00', true],
  ['01:00', '01:05', '01:05:01', false],
  ['22:00', '02:00', '23:59:59', true],
  ['22:00', '02:00', '00:00:00', true],
  ['22:00', '02:00', '02:00:00', true],
  ['22:00', '02:00', '02:00:01', false],
  ['22:00', '02:00', '21:59:59', false],
  ['05:00', '05:00', '17:00:00', true],
])('the window from %s to %s has %s inside: %s', (start, end, time, inside) => {
  expect(isInside({ start, end }, new Date(`2026-11-26T${time}Z`))).toBe(inside)
  expect(isInside({ start, end }, new Date(`1969-01-01T${time}Z`))).toBe(inside)
})

it.each(['1:00', '24:00', '12:60', '12:00:00', '', '٠١:٠٠', '12:00\n'])('%j is no time of day', (text) => {
  expect(minutesOf(text)).toBeUndefined()
})
