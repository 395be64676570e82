import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { History } from '../../../../src/gateway/history/history.ts'
import { Generations } from '../../../../src/gateway/people/identities/generations.ts'
import { openHistory } from '../../../../src/gateway/rooms.ts'
import { Workplace } from '../../../support/sites/workplace.ts'
import { waitFor } from '../../../support/wait.ts'

describe('users of gateway.yaml while another program has locked the history', () => {
  let place: Workplace
  let history: History
  let other: InstanceType<typeof Database>
  beforeEach(() => {
    place = new Workplace()
    history = openHistory(place.at('history.sqlite'))
    other = new Database(place.at('history.sqlite'))
  })
  afterEach(() => {
    history.close()
    other.close()
    place[Symbol.dispose]()
  })

  it('stay who they are, and a name that was missing is nobody until the file can be written', async () => {
    const generations = new Generations(history)
    generations.note(['ann', 'bea'])
    generations.note(['ann'])
    other.exec('BEGIN IMMEDIATE')
    generations.note(['ann', 'bea', 'cid'])
    expect(['ann', 'bea', 'cid'].map((name) => generations.of(name))).toEqual([1, undefined, undefined])
    other.exec('ROLLBACK')
    await waitFor(() => generations.of('cid') !== undefined)
    expect(['ann', 'bea', 'cid'].map((name) => generations.of(name))).toEqual([1, 2, 1])
  })

  it('get a new generation also if they were missing only while the file was locked', async () => {
    const generations = new Generations(history)
    generations.note(['ann', 'bea'])
    other.exec('BEGIN IMMEDIATE')
    generations.note(['ann'])
    generations.note(['ann', 'bea'])
    expect(generations.of('bea')).toBeUndefined()
    other.exec('ROLLBACK')
    await waitFor(() => generations.of('bea') !== undefined)
    expect(generations.of('bea')).toBe(2)
  })

  it('stay who they are inside of another write, as for a decision about a review', () => {
    const generations = new Generations(history)
    generations.note(['ann'])
    other.exec('BEGIN IMMEDIATE')
    generations.note(['ann'])
    other.exec('ROLLBACK')
    expect(history.write(() => generations.of('ann'))).toBe(1)
  })
})
