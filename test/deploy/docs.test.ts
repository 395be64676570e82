import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Workplace } from '../support/sites/workplace.ts'

// The tables that scripts/docs.mjs makes of settings, codes and endpoints.

const root = fileURLToPath(new URL('../..', import.meta.url))

function check(folder: string, ...args: readonly string[]): readonly [number | null, string] {
  const script = path.join(folder, 'scripts/docs.mjs')
  const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
  return [status, stderr]
}

test('every table in docs/ is what the program says (else: npm run docs)', () => {
  expect(check(root, '--check')).toEqual([0, ''])
})

test('a cell that was changed by hand is found and corrected, and a missing row is named', () => {
  using place = new Workplace()
  for (const name of ['docs', 'scripts', 'schemas', 'package.json', '.prettierrc.json'])
    cpSync(path.join(root, name), place.at(name), { recursive: true })
  for (const name of ['dist', 'node_modules']) symlinkSync(path.join(root, name), place.at(name))
  const page = place.at('docs/settings.md')
  const before = readFileSync(page, 'utf8')
  expect(before).toContain('| `10s`')
  writeFileSync(page, before.replace('| `10s`', '| `11s`'))
  expect(check(place.path, '--check')).toEqual([1, 'docs/settings.md is out of date: npm run docs\n'])
  expect(check(place.path)).toEqual([0, ''])
  expect(readFileSync(page, 'utf8')).toBe(before)
  writeFileSync(page, before.replace(' execution.max-duration kill.grace', ' kill.grace'))
  expect(check(place.path)).toEqual([1, 'agent: no page has execution.max-duration\n'])
})

test.each(['docs/operating', 'docs/gateway', 'docs/agent', 'docs/questions', 'docs/performance', 'SECURITY'])(
  '%s.md, which is read at night, has no paragraph of more than 600 characters',
  (name) => {
    const text = readFileSync(path.join(root, `${name}.md`), 'utf8').replaceAll(
      /^```[^]*?^```|^<!--.*-->\n/gm,
      '',
    )
    const paragraphs = text.split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)/)
    const long = paragraphs.filter((one) => !one.trimStart().startsWith('|') && one.length > 600)
    expect(long.map((one) => one.slice(0, 60))).toEqual([])
  },
)
