import { execFileSync, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { Workplace } from '../../../support/sites/workplace.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))

function lint(...args: string[]) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [`${root}/dist/main.js`, 'runbooks', 'lint', ...args],
    { encoding: 'utf8' },
  )
  return { stdout, stderr, status }
}

test('the examples pass, counted by what hoop enforces too', () => {
  expect(lint(`${root}/examples`, '--portable')).toEqual({
    stdout: `${root}examples/shop/example-orders/refund.runbook.js:1:1: REASON: not judged: the linter does not know what a file of this kind does with variables\n7 runbooks, no finding, 1 not judged\n`,
    stderr: '',
    status: 0,
  })
})

test('a folder is searched for runbooks, and each finding said with its file and line', () => {
  using place = new Workplace()
  place.write('books/ops/a.runbook.sh', 'set -eu\nls {{ .folder | squote }}\n')
  place.write('books/ops/b.runbook.py', '{{ nosuch }}')
  place.write('books/ops/c.runbook.x', '#!/bin/sh\nls {{ .x | shellquote }}\n')
  place.write('books/helper.sh', 'ls {{ .folder }}')
  execFileSync('ln', ['-s', 'helper.sh', place.at('books/d.runbook.sh')])
  const books = place.at('books')
  const { stdout, status } = lint(books)
  expect(stdout.split('\n')).toEqual([
    `${books}/ops/a.runbook.sh:2:7: {{ .folder | squote }}: squote quotes and does not escape`,
    '  safe: {{ .folder | asenv "FOLDER" }} on a line of its own, and "$FOLDER" here',
    `${books}/ops/b.runbook.py: template: :1: function "nosuch" not defined`,
    '3 runbooks, 2 findings',
    '',
  ])
  expect(status).toBe(65)
  const json = JSON.parse(lint(`${books}/helper.sh`, '--json').stdout) as object
  expect(json).toMatchObject({ files: 1, findings: [{ line: 1, column: 7, parameter: 'folder' }] })
})

test('what cannot be judged is said, and counts with --strict', () => {
  using place = new Workplace()
  const book = place.write('a.runbook.sh', '{{ .x | asenv "X" }}\ntar xf "$X"\n')
  expect(lint(book)).toMatchObject({
    stdout: expect.stringMatching(
      /^\S+:2:\d+: X: not judged: .*\n1 runbook, no finding, 1 not judged\n$/,
    ) as string,
    status: 0,
  })
  expect(lint(book, '--strict').status).toBe(65)
  place.write('a.runbook.sh', '{{ .x | asenv "X" }}\n[[ "$X" -gt 10 ]]\n')
  expect(lint(book).status).toBe(65)
})

test('a format of Docker is told how to write its braces, and passes with them', () => {
  using place = new Workplace()
  place.write('a.runbook.sh', "docker ps --format '{{.Names}}'\n")
  place.write('b.runbook.sh', `docker ps --format '{{ with "{{.Names}}" }}{{ . }}{{ end }}'\n`)
  expect(lint(place.at('a.runbook.sh')).stdout).toMatch(
    /safe: .*; to write literal braces: \{\{ with "\{\{\.Names\}\}" \}\}.* \(docs\/runbooks\.md, Literal braces\)/,
  )
  expect(lint(place.at('b.runbook.sh')).status).toBe(0)
})

test('a path that is not there is said', () => {
  const { stderr, status } = lint('/no/such/folder')
  expect([stderr, status]).toEqual([
    'runbook-agent: cannot read /no/such/folder: ENOENT. Give the path of a folder of runbooks, or of one runbook\n',
    78,
  ])
})
