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

test('a pair is looked for from the root of the repository, also if only one file is checked', () => {
  using place = new Workplace()
  const book = place.write('books/ops/a.runbook.sh', '# Delete\n{{/* first: ops/dry.runbook.sh */}}\necho\n')
  execFileSync('git', ['init', '--quiet', place.at('books')])
  expect(lint(book)).toMatchObject({
    stdout: `${book}:2: first: there is no file ops/dry.runbook.sh; the path begins at the root of the repository\n1 runbook, 1 finding\n`,
    status: 65,
  })
  place.write('books/ops/dry.runbook.sh', 'echo\n')
  expect(lint(book).status).toBe(0)
  expect(lint(book, '--portable')).toMatchObject({
    stdout: expect.stringContaining(
      `${book}:2: hoop's gateway ignores "first: ops/dry.runbook.sh"`,
    ) as string,
    status: 65,
  })
})

test('a path that is not there is said', () => {
  const { stderr, status } = lint('/no/such/folder')
  expect([stderr, status]).toEqual([
    'runbook-agent: cannot read /no/such/folder: ENOENT. Give the path of a folder of runbooks, or of one runbook\n',
    78,
  ])
})

const REVIEWED = `
listen: { http: 127.0.0.1:0, grpc: 127.0.0.1:0 }
state: ./state
users: [{ name: admin, token: a-token-for-tests-0123456789, groups: [admin] }, { name: dana, token: another-token-for-tests-0123, groups: [dba] }]
agents: [{ name: local, key: xagt-a-key-for-tests-0123456789 }]
repositories: [{ name: rb, url: ./rb }]
connections:
  - { name: free, agent: local, command: [bash], runbooks: { repository: rb } }
  - { name: exempt, agent: local, command: [bash], review: { groups: [dba] }, runbooks: { repository: rb, review: [{ path: 'lists/**', groups: [] }] } }
  - { name: asks, agent: local, command: [bash], review: { groups: [dba] }, runbooks: { repository: rb } }
  - { name: elsewhere, agent: local, command: [bash], review: { groups: [dba] }, runbooks: { repository: rb, path: other/ } }
`

test('a list of choices has to exist, without parameters, and to need no approval', () => {
  using place = new Workplace()
  place.write('rb/.git/HEAD', 'ref: refs/heads/main')
  const uses = (list: string) => `\n{{/* options-from tenant ${list} */}}\n{{ .tenant | asenv "TENANT" }}\n`
  const book = place.write('rb/ops/a.runbook.sh', uses('lists/t.runbook.sh'))
  const gateway = place.write('gateway.yaml', REVIEWED)
  const found = (...more: string[]) => {
    const { stdout, status } = lint(book, ...more)
    return { stdout: stdout.replaceAll(`${book}:`, '').split('\n')[0], status }
  }
  expect(found()).toEqual({
    stdout: '2:1: options-from tenant lists/t.runbook.sh: the list lists/t.runbook.sh does not exist',
    status: 65,
  })
  place.write('rb/lists/t.runbook.sh', 'echo {{ .region | default "eu" }}')
  expect(found()).toMatchObject({
    stdout: expect.stringContaining('must not have parameters') as string,
    status: 65,
  })
  place.write('rb/lists/t.runbook.sh', 'echo acme')
  expect(found()).toEqual({ stdout: '1 runbook, no finding: no parameter can become code', status: 0 })
  expect(found('--portable')).toEqual({
    stdout:
      '2:1: options-from tenant lists/t.runbook.sh: not judged: hoop does not read this comment, and accepts any value of the parameter',
    status: 0,
  })
  expect(found('--portable', '--strict').status).toBe(65)
  expect(found('--gateway', gateway)).toEqual({
    stdout:
      '2:1: options-from tenant lists/t.runbook.sh: runs of lists/t.runbook.sh need approval on asks, and a list is read without people; exempt it: runbooks.review: [{path: lists/t.runbook.sh, groups: []}]',
    status: 65,
  })
  place.write('rb/ops/a.runbook.sh', uses('lists/t.runbook.sh for region'))
  expect(found()).toMatchObject({
    stdout: expect.stringContaining('options-from: write {{') as string,
    status: 65,
  })
})
