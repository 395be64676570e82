import { describe, expect, test } from 'vitest'
import { lintTemplate, type Language } from '../../../src/template/lint/lint.ts'

function problems(language: Language | undefined, source: string, portable = false): string[] {
  return lintTemplate(source, { language, portable })
    .filter(({ verdict }) => verdict === 'code')
    .map(({ line, parameter, problem }) => `${line} ${parameter}: ${problem}`)
}

const X = '{{ .x }}'
const WORD = '{{ .x | pattern "^[a-z_]+$" }}'

describe('a parameter is guarded', () => {
  test.each<readonly [Language, string]>([
    ['shell', '{{ .x | asenv "X" }}\necho "$X"'],
    ['shell', '{{ .x | required "r" | default "d" | asenv "X" }}'],
    ['shell', 'echo {{ .x | shellquote }}'],
    ['shell', 'echo "$(cat {{ .x | shellquote }})"'],
    ['shell', 'a=$(cat {{ .x | shellquote | description "d" }})'],
    ['shell', `echo 'it' "is" \\" # "not\n {{ if .y }}'a'{{ else }}"b"{{ end }} {{ .x | shellquote }}`],
    ['shell', `echo ${WORD}`],
    ['shell', `cat <<END\nx ${WORD}\nEND`],
    ['shell', 'echo {{ .x | pattern "^(?:[a-z]{1,3}|[0-9]+)(\\\\.\\\\w*)?$" }}'],
    ['shell', 'echo {{ .x | pattern "^[A-Za-z ]+$" | squote }}'],
    ['shell', 'echo "a {{ .x | pattern `^[a-z ,=]*$` }}"'],
    ['shell', 'echo {{ .x | encodeb64 | squote }}'],
    ['shell', "echo '{{ .x | encodeb64 }}'"],
    ['shell', 'echo {{ .x | options "a; b" "c" }}'],
    ['shell', '{{ .x | options "start" "stop" }}'],
    ['shell', 'head -n {{ .x | type "number" }} f'],
    ['shell', 'echo {{ .x | type "date" }}'],
    ['shell', '{{ .x | type "number" | asenv "X" }}{{ if .x }}echo {{ .x }}{{ end }}'],
    ['shell', '{{ .x | pattern "^[a-z]+$" | asenv "X" }}{{ if .y }}echo {{ .x }}{{ end }}'],
    ['shell', '{{ if eq .x "a" }}echo a{{ end }}{{ range 3 }}echo {{ . }};{{ end }}'],
    ['shell', 'echo {{ .y | options "a" | default "b" }}{{ with .y }}{{ len $.x }}{{ end }}'],
    ['shell', '{{ if .y }}{{ $v := .x | shellquote }}echo {{ $v }}{{ end }}'],
    ['sql', 'select {{ .x | sqlquote }}'],
    ['sql', '{{ .x | type "number" | asenv "X" }}\n\\getenv x X\nselect 1 limit :x;'],
    ['sql', '{{ .x | asenv "X" }}\n\\getenv x X\nselect a::x, \':x\' -- :x\n'],
    ['shell', "echo '{{ .x | pattern `^[a-z]+$` }}' | sort"],
    ['sql', 'select * from {{ .x | sqlident }} where a = {{ .y | sqlquote }};'],
    ['sql', "select 'it''s' -- don't\n, {{ .x | sqlquote }} /* it's */, {{ .y | sqlquote }}"],
    ['sql', 'select 1 limit {{ .x | type "number" }}'],
    ['sql', 'select 1 limit {{ .x | pattern "^-?[0-9]+$" }}'],
    ['sql', `select a from b order by ${WORD}`],
    ['sql', "select '{{ .x | encodeb64 }}'"],
    ['sql', '{{ .x | asenv "X" }}\n\\getenv x X\nselect :\'x\';'],
    ['python', '{{ .x | asenv "X" }}\nimport os\nprint(os.environ["X"])'],
    ['python', 'n = {{ .x | type "number" }}'],
    ['python', `s = "${WORD}"\nt = '''it's\n${WORD}''' # don't\nn = {{ .y | pattern "^[0-9]+$" }}`],
    ['python', 's = {{ .x | pattern "^[a-z]+$" | dquote }}'],
  ])('%s: %s', (language, source) => {
    expect(problems(language, source)).toEqual([])
  })
})

describe('a parameter is not guarded', () => {
  const nothing = 'nothing limits the value'
  test.each<readonly [Language | undefined, string, string]>([
    ['shell', `echo ${X}`, nothing],
    ['shell', `echo "${X}"`, nothing],
    ['shell', `# ${X}`, nothing],
    ['shell', 'echo {{ .x | squote }}', 'squote quotes and does not escape'],
    ['shell', 'echo {{ .x | dquote }}', 'dquote quotes and does not escape'],
    ['shell', 'echo {{ .x | quotechar "\'" }}', nothing],
    ['shell', 'echo {{ .x | default "a" }}', nothing],
    ['shell', 'echo {{ .x | type "text" | minlength "1" | maxlength "9" }}', nothing],
    ['shell', 'echo {{ .x | encodeb64 | decodeb64 }}', nothing],
    ['shell', 'echo {{ .x | printf "%s" }}', nothing],
    ['shell', 'echo {{ .x | html }}', nothing],
    // Patterns that are not anchored, or admit what a shell obeys, or are not understood.
    ['shell', 'echo {{ .x | pattern "[a-z]+" }}', nothing],
    ['shell', 'echo {{ .x | pattern "^[a-z]+" }}', nothing],
    ['shell', 'echo {{ .x | pattern "^[a-z]+|b$" }}', nothing],
    ['shell', 'echo {{ .x | pattern "(?m)^[a-z]+$" }}', nothing],
    ['shell', 'echo {{ .x | pattern "^[^;]+$" }}', nothing],
    ['shell', 'echo {{ .x | pattern "^.+$" }}', nothing],
    ['shell', 'echo {{ .x | pattern "^a\\\\$" }}', nothing],
    ['shell', 'echo {{ .x | pattern "^[a-z ]+$" }}', 'the pattern admits a blank'],
    ['shell', 'echo {{ .x | pattern "^[ -~]+$" | squote }}', 'the pattern admits "!"'],
    ['shell', 'echo {{ .x | pattern "^[!-_]+$" }}', 'the pattern admits "!"'],
    ['shell', 'echo {{ .x | pattern .y }}', nothing],
    // Where even a word is obeyed.
    ['shell', WORD, 'the value is in a place where a command begins'],
    ['shell', `true; ${WORD}`, 'the value is in a place where a command begins'],
    ['shell', `a=$(${WORD})`, 'the value is in a place where a command begins'],
    ['shell', `if true; then ${WORD}; fi`, 'the value is in a place where a command begins'],
    ['shell', `echo $${WORD}`, 'the value follows $'],
    ['shell', `cat <<END\n${WORD}\nEND`, 'the value is in a place where a command begins'],
    ['shell', 'ssh host ls {{ .x | shellquote }}', 'another program may read this line as code'],
    ['shell', 'ssh host \\\n  ls {{ .x | shellquote }}', 'another program may read this line as code'],
    [
      'shell',
      `ssh host "
ls ${WORD}"`,
      'another program may read this line as code',
    ],
    ['shell', `timeout 5 ${WORD}`, 'another program may read this line as code'],
    ['shell', `. ${WORD}`, 'another program may read this line as code'],
    [
      'shell',
      `echo "$(
${WORD})"`,
      'the value is in a place where a command begins',
    ],
    ['shell', 'echo "{{ .x | pattern `^[a-z;]+$` }}"', 'the pattern admits ";"'],
    ['python', `os.system("ls ${WORD}")`, 'another program may read this line as code'],
    ['shell', `bash -c "ls ${WORD}"`, 'another program may read this line as code'],
    ['shell', `LC_ALL=C ${WORD}`, 'the value is in a place where a command begins'],
    [undefined, WORD, 'the value is in a place where a command may begin'],
    ['shell', 'echo {{ .x | shellquote }} | bash', 'another program may read this line as code'],
    ['shell', 'echo {{ .x | shellquote }} |\n  ssh -T host', 'another program may read this line as code'],
    // Escapes in the wrong place.
    [
      'shell',
      'echo "{{ .x | shellquote }}"',
      'shellquote protects only outside of quotes, in a place that the linter can follow',
    ],
    [
      'shell',
      "echo '{{ .x | shellquote }}'",
      'shellquote protects only outside of quotes, in a place that the linter can follow',
    ],
    [
      'shell',
      'cat <<END\na {{ .x | shellquote }}\nEND',
      'shellquote protects only outside of quotes, in a place that the linter can follow',
    ],
    [
      'shell',
      'echo "${a:-"b"}" {{ .x | shellquote }}',
      'shellquote protects only outside of quotes, in a place that the linter can follow',
    ],
    ['shell', 'echo {{ .x | sqlquote }}', 'sqlquote is not for shell'],
    ['shell', 'echo {{ .x | shellquote | dquote }}', 'dquote quotes and does not escape'],
    [
      'shell',
      'echo "{{ .x | pattern `^[a-z ]+$` | dquote }}"',
      'dquote adds quotes inside other quotes, or in a place that the linter cannot follow',
    ],
    [
      'shell',
      'echo {{ if .y }}"{{ end }} {{ .x | shellquote }}',
      'shellquote protects only outside of quotes, in a place that the linter can follow',
    ],
    [
      'shell',
      `{{ range 2 }}echo '{{ end }}echo {{ .x | shellquote }}`,
      'shellquote protects only outside of quotes, in a place that the linter can follow',
    ],
    // Blocks, variables, and what is not declared.
    ['shell', '{{ if .y }}echo {{ .x | options "a" "b" }}{{ end }}', nothing],
    ['shell', '{{ if .y }}{{ $v := .x }}echo {{ $v }}{{ end }}', nothing],
    ['shell', '{{ with .x }}echo {{ . }}{{ end }}', nothing],
    ['shell', '{{ if .y }}echo {{ index . "x" }}{{ end }}', nothing],
    ['sql', 'select {{ .x | squote }}', 'squote quotes and does not escape'],
    ['sql', `select '${X}'`, nothing],
    ['sql', 'select {{ .x | shellquote }}', 'shellquote is not for sql'],
    [
      'sql',
      "select 'a {{ .x | sqlquote }}'",
      'sqlquote protects only outside of quotes, in a place that the linter can follow',
    ],
    [
      'sql',
      "select 'a\\', {{ .x | sqlquote }}",
      'sqlquote protects only outside of quotes, in a place that the linter can follow',
    ],
    [
      'sql',
      'do $$ {{ .x | sqlquote }} $$',
      'sqlquote protects only outside of quotes, in a place that the linter can follow',
    ],
    [
      'sql',
      '\\! echo {{ .x | sqlquote }}',
      'sqlquote protects only outside of quotes, in a place that the linter can follow',
    ],
    [
      'sql',
      'copy t from stdin;\n{{ .x | sqlquote }}',
      'sqlquote protects only outside of quotes, in a place that the linter can follow',
    ],
    [
      'sql',
      '\\copy t from stdin\n{{ .x | sqlquote }}',
      'sqlquote protects only outside of quotes, in a place that the linter can follow',
    ],
    ['sql', `select 1; -- done\n${WORD}`, 'the value is in a place where a statement begins'],
    ['sql', `select :${WORD}`, 'the value follows :'],
    ['sql', 'select 1 -{{ .x | type "number" }}', 'the pattern admits "+"'],
    ['sql', 'select {{ .x | pattern "^[a-z,-]+$" }}', 'the pattern admits ","'],
    ['python', `s = ${WORD}`, 'the pattern admits "_"'],
    ['python', 's = {{ .x | dquote }}', 'dquote quotes and does not escape'],
    ['python', 's = f"{{ .x | pattern `^[{}a]+$` }}"', 'the pattern admits "{"'],
    ['python', 's = {{ .x | shellquote }}', 'shellquote is not for python'],
    [undefined, 'x {{ .x | pattern "^[a-z.]+$" }}', 'the pattern admits "."'],
    [undefined, 'x {{ .x | sqlquote }}', 'sqlquote is not for an unknown kind of file'],
  ])('%s: %s', (language, source, problem) => {
    expect(problems(language, source)).toEqual([
      `${source.slice(0, source.lastIndexOf('.x')).split('\n').length} x: ${problem}`,
    ])
  })

  test.each([
    [
      'the whole of the parameters',
      '{{ if .x }}echo {{ . }}{{ end }}',
      '1 (all parameters): nothing limits the value',
    ],
    [
      'a loop over them',
      '{{ range $k, $v := . }}echo {{ $v }}\n{{ end }}',
      '1 (all parameters): nothing limits the value',
    ],
    [
      'a variable that changes',
      '{{ if .x }}{{ $v := "a" }}{{ if .y }}{{ $v = .x }}{{ end }}echo {{ $v }}{{ end }}',
      '1 $v: nothing limits the value',
    ],
    [
      'the name of a variable of the environment',
      '{{ .x | asenv .y }}',
      '1 y: the value names a variable of the environment',
    ],
  ])('through %s', (_name, source, problem) => {
    expect(problems('shell', source)).toEqual([problem])
  })
})

test.each([
  ['shell', '{{ .x | asenv "BASH_ENV" }}', '1 x: the variable BASH_ENV changes what programs do'],
  ['python', '{{ .x | asenv "LD_PRELOAD" }}', '1 x: the variable LD_PRELOAD changes what programs do'],
  [
    'sql',
    '{{ .x | asenv "X" }}\n\\getenv y X\nselect 1 where a = :y;',
    '3 x: psql inserts the value without quotes, and nothing limits the value',
  ],
] as const)('%s: a value in a variable can become code there: %s', (language, source, problem) => {
  expect(problems(language, source)).toEqual([problem])
})

test('only what hoop enforces counts with portable', () => {
  const source =
    'echo {{ .x | options "a" }} {{ .y | type "number" }} {{ .z | type "number" | pattern "^[0-9]+$" }}'
  expect(problems('shell', source)).toEqual([])
  expect(problems('shell', source, true)).toEqual([
    '1 x: nothing limits the value',
    '1 y: nothing limits the value',
  ])
})

test('a finding has its place, what stands there, and the safe form', () => {
  expect(
    lintTemplate('set -eu\nls {{ .folder | squote }}\n', { language: 'shell', portable: false }),
  ).toEqual([
    {
      line: 2,
      column: 7,
      parameter: 'folder',
      action: '.folder | squote',
      problem: 'squote quotes and does not escape',
      safe: '{{ .folder | asenv "FOLDER" }} on a line of its own, and "$FOLDER" here',
      verdict: 'code',
    },
  ])
})

test('a megabyte in one line is read in time', () => {
  const source = `echo ${'a'.repeat(500_000)} {{ .x | shellquote }} ${"'b' ".repeat(100_000)}`
  expect(problems('shell', source)).toEqual([])
})
