import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { patience } from '../../src/basics/abort.ts'

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
}

it('ends by itself, also when the garbage is collected meanwhile', async () => {
  const ended = new Promise((resolve) =>
    patience(20, new AbortController().signal).addEventListener('abort', resolve),
  )
  collectGarbage()
  await ended
})

it('ends with the signal around it', () => {
  const outer = new AbortController()
  const wait = patience(60_000, outer.signal)
  outer.abort()
  expect(wait.aborted).toBe(true)
})
