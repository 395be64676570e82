import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const WEB = path.join(import.meta.dirname, '../../web/src')

/** Returns the classes that a file gives a look by themselves, without a class around them. */
function classesOf(file: string): string[] {
  const text = readFileSync(path.join(WEB, file), 'utf8').replaceAll(/\/\*[^]*?\*\//g, '')
  const selectors = [...text.matchAll(/([^{}]+)\{/g)].flatMap(([, all = '']) => all.split(','))
  return selectors.flatMap((one) => /^\s*\.([\w-]+)(?::[\w-]+|\[[^\]]*\])*\s*$/.exec(one)?.[1] ?? [])
}

describe('the styles of a view', () => {
  it('have no class of another file, because they stay when another view is opened', () => {
    const owners = new Map<string, Set<string>>()
    const files = readdirSync(WEB, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.css'),
    )
    for (const file of files)
      for (const name of classesOf(file)) owners.set(name, (owners.get(name) ?? new Set()).add(file))
    const shared = [...owners].filter(([, places]) => places.size > 1 && [...places].some(isLoadedLater))
    expect(shared.map(([name, places]) => `.${name} in ${[...places].join(' and ')}`)).toEqual([])
  })
})

/** The files in `styles` are loaded at the start, always in the same order. */
function isLoadedLater(file: string): boolean {
  return !file.startsWith('styles/')
}
