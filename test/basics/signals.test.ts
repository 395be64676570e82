import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { signalChild, signalGroup } from '../../src/basics/signals.ts'
import { translate } from '../support/machine/translate.ts'
import { Workplace } from '../support/sites/workplace.ts'

describe('signalGroup', () => {
  it('signals a whole group', async () => {
    const child = spawn('sh', ['-c', 'sleep 60 & wait'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    expect(signalGroup(child.pid ?? 0, 'SIGKILL')).toBe(true)
    // The pipe closes only when the sleep in the background has ended as well.
    await once(child, 'close')
  })

  it('says when nobody of the group is left', async () => {
    const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
    const pgid = child.pid ?? 0
    expect(signalGroup(pgid, 0)).toBe(true)
    signalChild(child, 'SIGKILL')
    await once(child, 'exit')
    expect(signalGroup(pgid, 0)).toBe(false)
  })
})

it('a signal for a child that could not be started reaches nobody, our own group least of all', () => {
  using place = new Workplace()
  translate(place.path, ['basics'])
  const script = `
    import { spawn } from 'node:child_process'
    import { signalChild } from './basics/signals.js'
    const child = spawn('./not-there').on('error', ({ code }) => console.log(code))
    console.log(signalChild(child, 'SIGKILL'))`
  const main = place.write('main.mjs', script)
  // A group of its own, should the signal come to it.
  const { stdout, signal } = spawnSync('setsid', ['--wait', process.execPath, main], {
    cwd: place.path,
    encoding: 'utf8',
  })
  expect([stdout, signal]).toEqual(['false\nENOENT\n', null])
})

it('a child that runs gets its signal', async () => {
  const child = spawn('sleep', ['1000'])
  expect(signalChild(child, 'SIGTERM')).toBe(true)
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
  expect(signalChild(child, 'SIGTERM')).toBe(false)
})
