import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { signalChild } from '../../src/basics/signal-child.ts'
import { signalGroup } from '../../src/basics/signal-group.ts'

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
