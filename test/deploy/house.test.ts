import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

// What a stranger needs to find a file by the tree alone: names that mean one thing, and folders that can be read.

const root = fileURLToPath(new URL('../..', import.meta.url))
const filesOf = (folder: string) =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', folder], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((file) => existsSync(path.join(root, file)) && file !== '')
const sources = filesOf('src').filter((file) => file.endsWith('.ts'))

function exportsOf(file: string): Set<string> {
  const text = readFileSync(path.join(root, file), 'utf8')
  const pattern =
    /^export (?:abstract )?(?:class|interface|type|async function\*?|function\*?|const) +(\w+)/gm
  return new Set([...text.matchAll(pattern)].map(([, name = '']) => name))
}

it('every exported name is exported by one file', () => {
  const files = new Map<string, string[]>()
  for (const file of sources)
    for (const name of exportsOf(file)) files.set(name, [...(files.get(name) ?? []), file])
  expect(files.size).toBeGreaterThan(500)
  expect([...files].filter(([, in_]) => in_.length > 1)).toEqual([])
})

/** What a folder holds, files and folders, as the repository knows it. */
function entriesOf(files: readonly string[], top: string): ReadonlyMap<string, ReadonlySet<string>> {
  const entries = new Map<string, Set<string>>()
  for (const file of files)
    for (let at = file; at !== top; at = path.dirname(at)) {
      const folder = path.dirname(at)
      entries.set(folder, (entries.get(folder) ?? new Set()).add(at))
    }
  return entries
}

/** Folders that may be wider: one for each folder of src and the ones beside them, and what one Go program writes. */
const WIDE = ['test', 'test/fixtures/vectors']

it.each(['src', 'test'])('no folder of %s has more than 18 entries', (top) => {
  const entries = [...entriesOf(filesOf(top), top)].filter(([folder]) => !WIDE.includes(folder))
  const wide = entries.filter(([, names]) => names.size > 18)
  expect(wide.map(([folder, names]) => `${folder}: ${names.size}`)).toEqual([])
})
