import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { translate } from '../support/machine/translate.ts'
import { Workplace } from '../support/sites/workplace.ts'

/**
 * Collects the whole heap after some calls of `process.nextTick`, and prints how many of their objects are left:
 * those of two calls of `keepTickObject`, and those of three others.
 */
const script = `
  import { createHook } from 'node:async_hooks'
  import { keepTickObject } from './basics/tick-objects.js'
  let made = []
  const hook = createHook({ init: (id, type, trigger, object) => {
    if (type === 'TickObject') made.push(new WeakRef(object))
  } }).enable()
  const madeBy = (call) => {
    made = []
    call()
    return made
  }
  const turn = () => new Promise((resolve) => setTimeout(resolve, 1))
  const kept = madeBy(keepTickObject)
  await turn()
  kept.push(...madeBy(keepTickObject))
  const others = madeBy(() => [1, 2, 3].forEach(() => process.nextTick(() => undefined)))
  hook.disable()
  await turn()
  await new Promise((resolve) => setTimeout(() => {
    gc()
    setTimeout(resolve, 1)
  }, 1))
  const left = (objects) => objects.filter((one) => one.deref() !== undefined).length
  console.log(JSON.stringify({ made: kept.length + others.length, kept: left(kept), others: left(others) }))`

it('an object of process.nextTick, and only one, stays when the whole heap is collected', () => {
  using place = new Workplace()
  translate(place.path, ['basics'])
  place.write('main.mjs', script)
  const words = ['--expose-gc', place.at('main.mjs')]
  const { stdout, stderr } = spawnSync(process.execPath, words, { env: place.env, encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({ made: 4, kept: 1, others: 0 })
})
