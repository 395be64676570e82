import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { examineSettings } from '../../../src/gateway/settings/load.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'settings-'))))
afterAll(() => rmSync(folder, { recursive: true }))

const RULES = 'review: [{ path: sql/danger-*, groups: [dba] }, { path: ops/free.sh, groups: [] }]'

function examined(connection: string, rules = RULES) {
  const file = join(folder, 'gateway.yaml')
  const text = `
users: [{ name: bea, token: 'sha256:${'ab'.repeat(32)}', groups: [dba] }]
agents: [{ name: local, key: 'sha256:${'cd'.repeat(32)}' }]
repositories: [{ name: rb, url: ./rb }]
connections:
  - { name: pg, agent: local, command: [psql], runbooks: { repository: rb, ${rules} }${connection} }`
  writeFileSync(file, text)
  const { problems, warnings } = examineSettings(file, {})
  const short = (line: string) => line.replace(`${file}:`, '')
  return { problems: problems.toLines().map(short), warnings: warnings.map(short) }
}

describe('a connection of which only runbooks need approval', () => {
  test.each([
    ['', ['exec', 'connect']],
    [', access: {}', ['exec', 'connect']],
    [', access: { exec: true }', ['connect']],
    [', access: { connect: false }', ['exec']],
    [', access: { client-escapes: block }', ['exec']],
  ])('has to say what scripts and terminals may do: {%s}', (settings, open) => {
    const { problems, warnings } = examined(settings)
    expect(problems).toEqual([
      expect.stringContaining(
        `connections[0].access: runbooks of sql/danger-* need approval; ${open.join(' and ')} would not: write access: { ${open.map((use) => `${use}: false`).join(', ')} }, or set`,
      ),
    ])
    expect(warnings).toEqual([])
  })

  test.each([
    [', access: { exec: false }'],
    [', access: { exec: false, connect: false }'],
    [', review: { groups: [dba] }'],
    [', access: { exec: true }, review: { groups: [dba] }'],
  ])('is taken without a word if nothing is open: {%s}', (settings) => {
    expect(examined(settings)).toEqual({ problems: [], warnings: [] })
  })

  test.each([
    ['exec: true, connect: true', 'exec and terminals need'],
    ['exec: true, connect: false', 'exec needs'],
    ['exec: false, connect: true', 'terminals need'],
  ])('is taken with a warning if the settings open it: { %s }', (access, what) => {
    expect(examined(`, access: { ${access} }`)).toEqual({
      problems: [],
      warnings: [
        expect.stringMatching(
          new RegExp(`^6:\\d+ connection pg: ${what} no approval although runbooks of sql/danger-\\* do$`),
        ),
      ],
    })
  })

  test.each([
    ['exec: true, connect: true', 'exec, terminals and ports need'],
    ['exec: false, connect: true', 'terminals and ports need'],
  ])('is taken with a warning that names ports of native clients, too: { %s }', (access, what) => {
    const { warnings } = examined(`, type: database, subtype: postgres, access: { ${access} }`)
    expect(warnings).toEqual([expect.stringContaining(`connection pg: ${what} no approval`)])
  })

  test('may be open if no runbook needs approval', () => {
    const free = 'review: [{ path: ops/free.sh, groups: [] }]'
    expect(examined('', free)).toEqual({ problems: [], warnings: [] })
  })
})
