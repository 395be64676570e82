import { describe, expect, it } from 'vitest'
import { lintTemplate } from '../../../src/template/lint/lint.ts'
import { parseTemplate } from '../../../src/template/runbook.ts'
import type { Language } from '../../../web/src/views/script/language.ts'
import { literalsIn, whyNoParameters } from '../../../web/src/views/script/literals.ts'
import { runbookFile, runbookFileName } from '../../../web/src/views/script/runbook-file.ts'

const found = (script: string, language: Language) =>
  literalsIn(script, language).map(({ name, written }) => `${name} ${written}`)

function fileOf(script: string, language: Language, title = ''): string {
  const parameters = literalsIn(script, language).map((literal) => ({
    literal,
    name: literal.name,
    description: '',
  }))
  return runbookFile(script, { title, language, parameters })
}

const ORDERS = `-- orders of 'today'
SELECT "it's", $$ 'no' 7 $$, E'a\\'b 8', a.b2 FROM o
 WHERE status = 'paid' AND amount > 12.50 AND id IN (7, 9) /* 'x' 5 */
   AND at > now() - INTERVAL '30 days' AND note <> 'it''s' LIMIT 7;`

describe('a runbook made from a script', () => {
  it.each<[string, string, Language, string[]]>([
    [
      'SQL',
      ORDERS,
      'postgres',
      ["status 'paid'", 'amount 12.50', 'id 7', 'value 9', "interval '30 days'", "note 'it''s'"],
    ],
    ['SQL of MySQL', `# don't\nselect * from o where a='x' # 'y'\n and b=3`, 'mysql', ["a 'x'", 'b 3']],
    ['SQL with a text that is not clear', `select 'a\\'b', 'c', 'open`, 'postgres', ["value 'c'"]],
    [
      'a script of a shell',
      `# don't 5\nfind . --days 30 -n7 -name "*.log" -x 'a b' $'c' "$HOME 4" pg-2 \\'6`,
      'shell',
      ['days 30', 'name "*.log"', "x 'a b'", 'value 6'],
    ],
    ['a here-document', `cat <<X\n'a'\nX`, 'shell', []],
    ['a command within quotes', `echo "$(date -d "1")" 'a'`, 'shell', []],
    ['another language', `print('a', 5)`, 'python', []],
    ['a template', `select '{{ .x }}', 'y'`, 'postgres', []],
  ])('finds the values of %s, and nothing else', (_, script, language, values) => {
    expect(found(script, language)).toEqual(values)
  })

  it('says why there are no values', () => {
    expect(whyNoParameters('{{', 'postgres')).toContain('{{')
    expect(whyNoParameters('cat <<X', 'shell')).toContain('here-document')
    expect(whyNoParameters('echo `a`', 'shell')).toContain('within quotes')
    expect(whyNoParameters('x', 'ruby')).toContain('only in SQL')
    expect(whyNoParameters('select 1', 'mysql')).toBeUndefined()
  })

  it('writes parameters that stay data, as the linter says, and that a form can fill in', () => {
    const sql = fileOf(ORDERS, 'postgres', 'Orders by status')
    expect(sql.split('\n')[0]).toBe('-- Orders by status')
    expect(sql).toContain('status = {{ .status | required "status is missing" | sqlquote }} AND')
    expect(sql).toContain('LIMIT {{ .id | pattern "^-?[0-9]+([.][0-9]+)?$" }};')
    const plain = fileOf(ORDERS.replace(/SELECT.*FROM/, 'SELECT * FROM'), 'postgres')
    expect(lintTemplate(plain, { language: 'sql', portable: false })).toEqual([])
    const shell = fileOf(`#!/bin/bash\nls -w 30 "a.log" 'a b'`, 'shell', 'Old logs')
    expect(shell.split('\n').slice(0, 2)).toEqual(['#!/bin/bash', '# Old logs'])
    expect(lintTemplate(shell, { language: 'shell', portable: false })).toEqual([])
    expect(parseTemplate(sql).inputs.map(({ name }) => name)).toContain('status')
    const values = Object.entries({ w: '3', log: "x'; id; '", value: 'a' })
    const { bytes } = parseTemplate(shell).render(new Map(values))
    expect(bytes.toString()).toContain(String.raw`ls -w 3 'a' 'x'\''; id; '\'''`)
  })

  it('describes a parameter once, in words that may have quotes', () => {
    const [literal] = literalsIn("select 'a', 'a'", 'postgres')
    if (literal === undefined) throw new Error('there is no value')
    const parameters = [{ literal, name: 'which', description: ' the "first" one ' }]
    expect(runbookFile("select 'a', 'a'\n\n", { title: '', language: 'postgres', parameters })).toBe(
      'select {{ .which | description "the \\"first\\" one" | required "which is missing" | sqlquote }}, {{ .which | sqlquote }}\n',
    )
  })

  it('names the file after its title', () => {
    expect(runbookFileName('Orders, by Länder!', 'postgres')).toBe('orders-by-länder.runbook.sql')
    expect(runbookFileName('../..', 'shell')).toBe('script.runbook.sh')
  })
})
