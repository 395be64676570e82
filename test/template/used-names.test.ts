import { expect, it } from 'vitest'
import { parseTemplate } from '../../src/template/runbook.ts'

it('a template knows every name that it may use, wherever it stands', () => {
  const source =
    '{{ .a | default "b" }}{{ if and .c (eq .d "x") }}{{ $.e }}{{ else }}{{ .f }}{{ end }}{{ range $i, $v := .g }}{{ index $ "h" }}{{ $v }}{{ end }}{{ with .a }}{{ . }}{{ end }}'
  const { names, inputs } = parseTemplate(source)
  expect(names).toEqual(['a', 'c', 'd', 'e', 'f', 'g', 'h'])
  expect(inputs.map(({ name }) => name)).toEqual(['a'])
})

it('braces of other templates are written by with, and by a shell that joins two texts', () => {
  const source = `a '{{ with "{{.Names}}: {{.Status}}" }}{{ . }}{{ end }}' '{''{.Names}}'`
  const template = parseTemplate(source)
  expect(template.inputs).toEqual([])
  expect(template.render(new Map()).text).toBe(`a '{{.Names}}: {{.Status}}' '{''{.Names}}'`)
  expect(() => parseTemplate('{{ "{{" }}')).toThrow('inconsistent findings')
})
