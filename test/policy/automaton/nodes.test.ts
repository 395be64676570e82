import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { RE2JS } from 're2js'
import { expect, it } from 'vitest'
import { programOf, rangesOf } from '../../../src/policy/automaton/nodes.ts'

interface Package {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
}

const read = (file: string | URL) => JSON.parse(readFileSync(file, 'utf8')) as Package

it('package.json names one version of re2js, whose inside is read, and that one is installed', () => {
  const wanted = read(new URL('../../../package.json', import.meta.url)).dependencies?.['re2js']
  expect(wanted).toMatch(/^\d+\.\d+\.\d+$/)
  const entry = createRequire(import.meta.url).resolve('re2js')
  expect(read(new URL('../package.json', `file://${entry}`)).version).toBe(wanted)
})

it('re2js compiles to the instructions that the search of guardrails expects', () => {
  const { start, inst } = programOf(RE2JS.compile(String.raw`^(a|.*)$\b[b-d](?s:.)(?i:e)`))
  expect(start).toBe(1)
  expect(inst.map(({ op, out, arg, runes }) => [op, out, arg, ...runes])).toEqual([
    [5, 0, 0],
    [4, 2, 4],
    [3, 6, 2],
    [9, 7, 0, 97],
    [11, 5, 0, 0, 9, 11, 1114111],
    [1, 4, 7],
    [1, 3, 5],
    [3, 8, 3],
    [4, 9, 8],
    [4, 10, 16],
    [8, 11, 0, 98, 100],
    [10, 12, 0, 0, 1114111],
    [8, 13, 1, 69],
    [6, 0, 0],
  ])
})

it('re2js names the conditions as the search of guardrails does', () => {
  const conditions = ['(?m:^)', '(?m:$)', '^', '$', '\\b', '\\B']
  expect(conditions.map((text) => programOf(RE2JS.compile(text)).inst[1]?.arg)).toEqual([1, 2, 4, 8, 16, 32])
})

it.each([
  ['(?i)k', [0x4b, 0x4b, 0x6b, 0x6b, 0x212a, 0x212a]],
  ['(?i)θ', [0x398, 0x398, 0x3b8, 0x3b8, 0x3d1, 0x3d1, 0x3f4, 0x3f4]],
  ['(?i)1', [0x31, 0x31]],
  ['é', [0xe9, 0xe9]],
  ['[^a]', [0, 0x60, 0x62, 0x10ffff]],
  ['.', [0, 9, 11, 0x10ffff]],
  ['(?s).', [0, 0x10ffff]],
])('%s takes these runes', (text, ranges) => {
  const { inst, start } = programOf(RE2JS.compile(text))
  const [first] = inst.slice(start)
  expect(first && [...rangesOf(first)]).toEqual(ranges)
})
