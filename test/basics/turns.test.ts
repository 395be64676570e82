import { describe, expect, it } from 'vitest'
import { Turns } from '../../src/basics/turns.ts'

function deferred() {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => (resolve = settle))
  return { promise, resolve }
}

describe('Turns', () => {
  it('lets as many works of a user run as there are places, others of theirs in order, and others at once', async () => {
    const turns = new Turns(1)
    const begun: string[] = []
    const [first, second] = [deferred(), deferred()]
    const work = (name: string, until: Promise<void>) => () => {
      begun.push(name)
      return until
    }
    const one = turns.run('ann', work('ann 1', first.promise))
    const two = turns.run('ann', work('ann 2', second.promise))
    await turns.run('bob', work('bob', Promise.resolve()))
    expect(begun).toEqual(['ann 1', 'bob'])
    first.resolve()
    await one
    expect(turns.users).toBe(1)
    second.resolve()
    await two
    expect(begun).toEqual(['ann 1', 'bob', 'ann 2'])
  })

  it('keeps no queue of users without work, also where it has failed', async () => {
    const turns = new Turns(2)
    const failed = turns.run('ann', () => Promise.reject(new Error('no')))
    const done = turns.run('bob', () => Promise.resolve(7))
    expect(turns.users).toBe(2)
    await expect(failed).rejects.toThrow('no')
    expect([await done, turns.users]).toEqual([7, 0])
  })
})
