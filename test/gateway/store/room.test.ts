import { expect, it } from 'vitest'
import { LAYOUT, ROOMS } from '../../../src/gateway/rooms.ts'
import { layoutOf, type Rooms } from '../../../src/gateway/store/room.ts'

it('the steps of all rooms are one sequence, in the order of their versions', () => {
  const { sessions, reviews, webhooks } = ROOMS
  expect(LAYOUT.steps[0]).toBe(sessions.steps[1])
  expect(LAYOUT.steps[6]).toBe(reviews.steps[7])
  expect(LAYOUT.steps[19]).toBe(webhooks.steps[20])
})

it('two rooms with the same version, and a version of no room, are found when the program is loaded', () => {
  const { reviews, issues } = ROOMS
  const twice = { ...ROOMS, issues: { ...issues, steps: { ...issues.steps, ...reviews.steps } } }
  expect(() => layoutOf(twice)).toThrow('the step to version 8 is missing, or several rooms have it')
  const gap = { ...ROOMS, reviews: { ...reviews, steps: {} } }
  expect(() => layoutOf(gap)).toThrow('the step to version 7 is missing, or several rooms have it')
})

it('a list that lacks a room does not compile', () => {
  const { sessions, reviews, issues } = ROOMS
  // @ts-expect-error the others are missing
  const lacking: Rooms = { sessions, reviews, issues }
  expect(Object.keys(lacking)).toHaveLength(3)
})

it('two rooms may declare columns and lost rows of one table: the examination follows both', () => {
  const { webhooks } = ROOMS
  const more = { ...webhooks, json: { sessions: ['extra'] }, orphans: { events: () => '0' } }
  const { json, orphans } = layoutOf({ ...ROOMS, webhooks: more })
  expect(json['sessions']?.map(({ column }) => column)).toEqual(
    expect.arrayContaining(['request', 'cause', 'extra']),
  )
  expect(orphans['events']?.(() => true)).toMatch(/^\(session NOT IN .*\) OR \(0\)$/)
})
