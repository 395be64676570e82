import { spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { translate } from '../support/machine/translate.ts'
import { Workplace } from '../support/sites/workplace.ts'

const root = resolve(import.meta.dirname, '../..')

/**
 * Loads gRPC with our service, collects the whole heap, and prints how many objects of `process.nextTick` are
 * left.
 */
const script = `
  import { createHook } from 'node:async_hooks'
  // The build is CommonJS.
  globalThis.__dirname = ${JSON.stringify(resolve(root, 'src/basics/files'))}
  const made = []
  const hook = createHook({ init: (id, type, trigger, object) => {
    if (type === 'TickObject') made.push(new WeakRef(object))
  } }).enable()
  await import('./wire/service.js')
  for (const _ of [1, 2, 3]) process.nextTick(() => undefined)
  hook.disable()
  const turn = () => new Promise((resolve) => setTimeout(resolve, 1))
  await turn()
  await new Promise((resolve) => setTimeout(() => {
    gc()
    setTimeout(resolve, 1)
  }, 1))
  const left = made.filter((one) => one.deref() !== undefined).length
  console.log(JSON.stringify({ others: made.length - left, left }))`

it('an object of process.nextTick, and only one, stays in each process that loads gRPC', () => {
  using place = new Workplace()
  translate(place.path, ['basics', 'wire'])
  symlinkSync(resolve(root, 'node_modules'), place.at('node_modules'))
  place.write('main.mjs', script)
  const words = ['--expose-gc', place.at('main.mjs')]
  const { stdout, stderr } = spawnSync(process.execPath, words, { env: place.env, encoding: 'utf8' })
  expect(stderr).toBe('')
  const { others, left } = JSON.parse(stdout) as { others: number; left: number }
  expect(others).toBeGreaterThanOrEqual(3)
  expect(left).toBe(1)
})
