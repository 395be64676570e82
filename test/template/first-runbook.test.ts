import { describe, expect, it } from 'vitest'
import { parseTemplate } from '../../src/template/runbook.ts'
import { pairProblems } from '../../src/template/lint/pairs.ts'

const firstOf = (source: string) => parseTemplate(source).first

describe('the comment that names the first runbook', () => {
  it.each([
    ['{{/* first: ops/a.dry.runbook.sh */}}\necho', 'ops/a.dry.runbook.sh', 1],
    ['#!/bin/sh\n# Title\n{{- /* first: a b.sh */ -}}\necho', 'a b.sh', 3],
    ['echo\n{{if .x}}\n{{/*First :x*/}}{{end}}', 'x', 3],
  ])('is found anywhere in a template: %j', (source, path, line) => {
    expect(firstOf(source)).toEqual({ path, line })
  })

  it('adds nothing to the script', () => {
    expect(parseTemplate('{{/* first: a.sh */}}echo').render(new Map()).bytes.toString()).toBe('echo')
  })

  it.each([
    '{{/* firstly: a.sh */}}',
    '{{/* the first: a.sh */}}',
    '# first: a.sh',
    'echo {{ .x | default "{{/* first: a.sh */}}" }}',
  ])('is not another text: %j', (source) => {
    expect(firstOf(source)).toBeUndefined()
  })

  it.each(['', '/ops/a.sh', '../a.sh', 'ops//a.sh', './a.sh', 'ops/', 'a\nb.sh'])(
    'is refused with the path %j, so that a mistake does not drop the dry run',
    (path) => {
      expect(() => firstOf(`echo\n{{/* first: ${path} */}}`)).toThrow(/^template: :2: first: needs the path/)
    },
  )

  it.each(['{{/* to do\n{{/* first: a.sh */}}', '{{/* {{- /*First :a.sh */ -}}'])(
    'is refused inside another comment, which would hide it: %j',
    (source) => {
      expect(() => firstOf(source)).toThrow('template: :1: first: is inside another comment')
    },
  )

  it.each(['{{ .id | default "2" }}', '{{ if .x }}{{ .id | default .x }}{{ end }}'])(
    'is refused if a parameter has not one default, because the dry run gets only one: %s',
    (action) => {
      const own = '{{ .id | default "1" }}'
      expect(firstOf(`${own}{{/* first: a.sh */}}${own}`)).toBeDefined()
      expect(() => firstOf(`${own}{{/* first: a.sh */}}${action}`)).toThrow('parameter id: the first runbook')
    },
  )

  it('is refused twice', () => {
    expect(() => firstOf('{{/* first: a.sh */}}\n{{/* first: b.sh */}}')).toThrow(
      'template: :2: a runbook can name only one first runbook',
    )
  })
})

describe('a pair of runbooks', () => {
  const files: Record<string, string> = {
    'ops/dry.sh': 'ls {{ .id | asenv "ID" }}',
    'ops/second.sh': '{{/* first: ops/dry.sh */}}',
    'ops/round.sh': '{{/* first: ops/real.sh */}}',
    'ops/bad.sh': '{{ nosuch }}',
  }
  const problems = (first: string, portable = false, own = '{{ .id | asenv "ID" }}') =>
    pairProblems('ops/real.sh', `${own}\n{{/* first: ${first} */}}`, (path) => files[path], portable)
  const line = 2

  it('has no problem if its first runbook needs no other parameters', () => {
    expect(problems('ops/dry.sh')).toEqual([])
    expect(problems('ops/dry.sh', false, '{{ if .id }}x{{ end }}')).toEqual([])
  })

  it.each([
    ['ops/gone.sh', 'first: there is no file ops/gone.sh; the path begins at the root of the repository'],
    ['ops/real.sh', 'first: names this runbook itself'],
    ['ops/round.sh', 'first: ops/round.sh names this runbook as its first one, so neither can run'],
    [
      'ops/second.sh',
      'first: ops/second.sh names a first runbook itself, ops/dry.sh; a pair has two runbooks',
    ],
    [
      'ops/bad.sh',
      'first: ops/bad.sh cannot be read as a runbook: template: :1: function "nosuch" not defined',
    ],
  ])('cannot begin with %s', (first, problem) => {
    expect(problems(first)).toEqual([{ line, problem }])
  })

  it('has the parameters of its first runbook', () => {
    const problem = 'first: ops/dry.sh needs parameters that this runbook does not have: id'
    expect(problems('ops/dry.sh', false, 'echo')).toEqual([{ line, problem }])
  })

  it("is told that hoop's gateway ignores the comment", () => {
    const problem = `hoop's gateway ignores "first: ops/dry.sh": there, this runbook runs without its dry run`
    expect(problems('ops/dry.sh', true)).toEqual([{ line, problem }])
  })
})
