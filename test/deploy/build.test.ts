import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { Workplace } from '../support/sites/workplace.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A project with this one's build, a source and a page of its own. */
function project(place: Workplace): { readonly write: (file: string) => void; readonly build: () => number } {
  for (const folder of ['scripts', 'src/room']) mkdirSync(place.at(folder), { recursive: true })
  for (const file of ['scripts/build.mjs', 'tsconfig.json', 'tsconfig.build.json', 'package.json'])
    copyFileSync(path.join(root, file), place.at(file))
  symlinkSync(path.join(root, 'node_modules'), place.at('node_modules'))
  mkdirSync(place.at('web'))
  copyFileSync(path.join(root, 'web/vite.config.mjs'), place.at('web/vite.config.mjs'))
  writeFileSync(place.at('web/index.html'), '<!doctype html><title>page</title>')
  return {
    write: (file) => {
      writeFileSync(place.at('src', file), 'export const a: number = 1\n')
    },
    build: () =>
      spawnSync(process.execPath, [place.at('scripts/build.mjs')], { env: place.env }).status ?? -1,
  }
}

const built = (place: Workplace) =>
  readdirSync(place.at('dist'), { recursive: true })
    .map(String)
    .filter((name) => !name.startsWith('.') && name !== 'web' && !name.startsWith('web/'))
    .sort()

test('a build makes program and compressed page, and removes what no source makes any more, but nothing when it fails', () => {
  using place = new Workplace()
  const { write, build } = project(place)
  for (const file of ['main.ts', 'old.ts', 'room/old.ts', 'room/kept.ts']) write(file)
  mkdirSync(place.at('dist/web/assets'), { recursive: true })
  writeFileSync(place.at('dist/web/assets/old-1234.js'), 'old')
  expect(build()).toBe(0)
  const page = readdirSync(place.at('dist/web'), { recursive: true }).sort()
  expect(page).toEqual(['index.html', 'index.html.br', 'index.html.gz', 'licenses.txt'])
  const compressed = readFileSync(place.at('dist/web/index.html.br'))
  expect(brotliDecompressSync(compressed)).toEqual(readFileSync(place.at('dist/web/index.html')))
  const first = built(place)
  expect(first).toEqual(['main.js', 'old.js', 'package.json', 'room', 'room/kept.js', 'room/old.js'])
  for (const gone of ['old.ts', 'room']) rmSync(place.at('src', gone), { recursive: true })
  writeFileSync(place.at('src/main.ts'), 'export const a: number = "one"\n')
  expect(build()).not.toBe(0)
  expect(built(place)).toEqual(first)
  mkdirSync(place.at('src/other'))
  for (const file of ['main.ts', 'other/kept.ts']) write(file)
  writeFileSync(place.at('dist/.stamp'), '')
  expect(build()).toBe(0)
  expect(built(place)).toEqual(['main.js', 'other', 'other/kept.js', 'package.json'])
  expect(readdirSync(place.at('dist'))).toContain('.stamp')
})
