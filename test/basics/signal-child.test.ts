import { signalChild } from '../../src/basics/signal-child.ts'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { translate } from '../support/machine/translate.ts'
import { Workplace } from '../support/sites/workplace.ts'

test('of a child that could not be started nobody gets a signal, its own group least of all', () => {
  using place = new Workplace()
  translate(place.path, ['basics'])
  const script = `
    import { spawn } from 'node:child_process'
    import { signalChild } from './basics/signal-child.js'
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

test('a child that runs gets its signal', async () => {
  const child = spawn('sleep', ['1000'])
  expect(signalChild(child, 'SIGTERM')).toBe(true)
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
  expect(signalChild(child, 'SIGTERM')).toBe(false)
})
