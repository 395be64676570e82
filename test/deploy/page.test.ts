import { readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../../dist/web/', import.meta.url))
const page = readFileSync(`${folder}index.html`, 'utf8')
/** What the page itself names: all that a browser loads before somebody does something. */
const first = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, name]) => name ?? '')

it('the first load of the page has 45 KB at most, compressed', () => {
  expect(first.length).toBeGreaterThan(1)
  const sizes = ['index.html', ...first].map((name) => statSync(`${folder}${name}.gz`).size)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(45_000)
})

it('the terminal, the charts, the editor and the engine of patterns wait until they are needed, and are no larger than they have to be', () => {
  const all = readdirSync(`${folder}assets`).filter((name) => name.endsWith('.js.br'))
  const others = all.filter((name) => !first.includes(`assets/${name.replace('.br', '')}`))
  const large = others.filter((name) => statSync(`${folder}assets/${name}`).size > 20_000)
  expect(large.map((name) => name.replace(/-[\w-]{8}\.js\.br$/, '')).toSorted()).toEqual([
    'build',
    'chart',
    'editor-field',
    'screen',
  ])
  const sizes = large.map((name) => statSync(`${folder}assets/${name}`).size)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(270_000)
  expect(first.filter((name) => /\/(build|chart|editor-field|screen)-/.test(name))).toEqual([])
})

it('the file that asks for the view is small, and waits neither for the other files nor for the style sheet', () => {
  expect(page).toMatch(/<script type="module" async crossorigin src="\/assets\/first-[\w-]{8}\.js">/)
  const [name = ''] = first.filter((one) => one.startsWith('assets/first-'))
  expect(statSync(`${folder}${name}.gz`).size).toBeLessThan(4000)
  expect(readFileSync(`${folder}${name}`, 'utf8')).not.toMatch(/import[^(]*["']\.\//)
})

it('nothing stands in the page itself that its policy would refuse', () => {
  expect(page).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/)
})
