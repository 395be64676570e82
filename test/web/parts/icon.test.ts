import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const read = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../web/src/${name}`, import.meta.url)), 'utf8')

it('each name of an icon has its drawing, and each drawing a name', () => {
  const drawn = [...read('look/icons.svg').matchAll(/<symbol id="([a-z]+)"/g)].map(([, name]) => name)
  const named = [...read('parts/icon.tsx').matchAll(/^ {2}\| '([a-z]+)'$/gm)].map(([, name]) => name)
  expect(named.length).toBeGreaterThan(40)
  expect(named.toSorted()).toEqual(drawn.toSorted())
})
