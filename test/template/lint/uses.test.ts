import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { lintTemplate } from '../../../src/template/lint/lint.ts'
import { parseTemplate } from '../../../src/template/runbook.ts'

// What lint says of a script beside what bash does with the value, when the values are those of an attacker.

const folder = mkdtempSync(path.join(tmpdir(), 'uses-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function verdict(source: string): 'code' | 'not judged' | 'data' {
  const verdicts = lintTemplate(source, { language: 'shell', portable: false }).map(
    (finding) => finding.verdict,
  )
  if (verdicts.includes('code')) return 'code'
  return verdicts.includes('not judged') ? 'not judged' : 'data'
}

/** Whether a value ran: each of them makes a file. */
function runs(source: string, values: Readonly<Record<string, string>>): boolean {
  const { bytes, env: passed } = rendered(source, values)
  const env = { PATH: process.env['PATH'], HOME: folder, ...variables(passed) }
  try {
    execFileSync('bash', ['-c', bytes.toString()], {
      cwd: folder,
      env,
      input: '',
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: 10_000,
    })
  } catch {
    // Scripts may fail; what counts is what they have run.
  }
  const made = readdirSync(folder)
  for (const name of made) rmSync(path.join(folder, name), { recursive: true })
  return made.includes('ran')
}

function variables(passed: ReadonlyMap<string, string>): Record<string, string> {
  const decoded = [...passed].map(([name, value]) => [
    name.replace('envvar:', ''),
    Buffer.from(value, 'base64').toString(),
  ])
  return Object.fromEntries(decoded) as Record<string, string>
}

function rendered(source: string, values: Readonly<Record<string, string>>) {
  return parseTemplate(source).render(new Map(Object.entries(values)))
}

const SUBSCRIPT = 'a[$(touch ran)0]'
const HOSTILE = [
  SUBSCRIPT,
  '$(touch ran)',
  '`touch ran`',
  '; touch ran;',
  '"; touch ran; "',
  "'; touch ran; '",
  '\ntouch ran\n',
  '-v',
  '-va[$(touch ran)0]',
  'Y',
  'touch ran',
  '| touch ran',
  'x; touch ran',
  '--',
  '!',
  '(',
]

const X = '{{ .x | asenv "X" }}\n'
const Q = '{{ .x | shellquote }}'

describe('a form by which bash runs what is in a value is never said to be data', () => {
  test.each([
    [`${X}[[ "$X" -gt 10 ]]`, SUBSCRIPT, 'code'],
    [`${X}if [[ $X -eq 1 ]]; then echo a; fi`, SUBSCRIPT, 'code'],
    [`${X}[[ X -gt 10 ]]`, SUBSCRIPT, 'code'],
    [`${X}((y=X))`, SUBSCRIPT, 'code'],
    [`${X}echo $((X))`, SUBSCRIPT, 'code'],
    [`${X}echo "$(( $X + 1 ))"`, SUBSCRIPT, 'code'],
    [`${X}echo $[X]`, SUBSCRIPT, 'code'],
    [`${X}let y=X`, SUBSCRIPT, 'code'],
    [`${X}let "y=$X"`, SUBSCRIPT, 'code'],
    [`${X}let 'y=X'`, SUBSCRIPT, 'code'],
    [`${X}for ((i=0;i<X;i++)); do :; done`, SUBSCRIPT, 'code'],
    [`${X}[ -v "$X" ]`, SUBSCRIPT, 'code'],
    [`${X}test -v "$X"`, SUBSCRIPT, 'code'],
    [`${X}[[ -v $X ]]`, SUBSCRIPT, 'code'],
    [`${X}printf -v "$X" %s a`, SUBSCRIPT, 'code'],
    [`${X}echo a | read "$X"`, SUBSCRIPT, 'code'],
    [`${X}declare "$X=1"`, SUBSCRIPT, 'code'],
    [`${X}export "$X=1"`, undefined, 'code'],
    [`${X}unset "$X"`, undefined, 'code'],
    [`${X}echo "\${!X}"`, SUBSCRIPT, 'code'],
    [`${X}y[X]=1`, SUBSCRIPT, 'code'],
    [`${X}y=(1 2)\necho "\${y[X]}"`, SUBSCRIPT, 'code'],
    [`${X}y=abc\necho "\${y:X}"`, SUBSCRIPT, 'code'],
    [`${X}Y="$X"\n((Y))`, SUBSCRIPT, 'code'],
    [`${X}printf '%s\\n' "$X" | while read -r n; do ((n)); done`, SUBSCRIPT, 'code'],
    [`${X}while read -r n; do\n  ((n))\ndone <<< "$X"`, SUBSCRIPT, 'not judged'],
    [`${X}declare -i n\nn="$X"`, SUBSCRIPT, 'not judged'],
    [`${X}eval "$X"`, 'touch ran', 'code'],
    [`${X}bash -c "$X"`, 'touch ran', 'code'],
    [`${X}bash -c '((y=X))'`, SUBSCRIPT, 'not judged'],
    [`${X}bash -c 'test -v "$X"'`, SUBSCRIPT, 'not judged'],
    [`${X}$X`, 'touch ran', 'code'],
    [`${X}echo "$X" | bash`, 'touch ran', 'not judged'],
    [`${X}{\n  echo "$X"\n} | bash`, 'touch ran', 'not judged'],
    [`${X}for h in a; do\n  echo "$X"\ndone | sh`, 'touch ran', 'not judged'],
    [`${X}for h in a; do\n  echo "$X"\ndone | while read -r l; do\n  sh -c "$l"\ndone`, 'touch ran', 'code'],
    [`${X}if true; then\n  echo "$X"\nfi > f\nbash f`, 'touch ran', 'not judged'],
    [`${X}f() {\n  echo "$X"\n}\nf | bash`, 'touch ran', 'not judged'],
    [`${X}f() {\n  echo "$X"\n}\nY=$(f)\nbash -c "$Y"`, 'touch ran', 'code'],
    [`${X}exec > f\necho "$X"\nbash f`, 'touch ran', 'not judged'],
    [`${X}echo '$X' > f\nenvsubst < f | bash`, undefined, 'not judged'],
    [`${X}env | tail -n 1 | cut -c3- > f\nbash f`, undefined, 'not judged'],
    [`${X}jq -n "$X"`, undefined, 'not judged'],
    [`${X}: "$X"\n$_`, 'touch ran', 'code'],
    [`${X}: "$X"\nsh -c "$_"`, 'touch ran', 'code'],
    [`${X}declare -x -i n\nn="$X"`, SUBSCRIPT, 'not judged'],
    [`${X}RANDOM="$X"`, SUBSCRIPT, 'not judged'],
    [`${X}for OPTIND in "$X"; do :; done`, SUBSCRIPT, 'not judged'],
    [`${X}{{ if .z }}echo {{ end }}sh -c "$X"`, 'touch ran', 'not judged'],
    [`${X}{{ if .z }}echo {{ end }}"$X"`, undefined, 'not judged'],
    [`${X}{{ range .z }}echo {{ end }}sh -c "$X"`, undefined, 'not judged'],
    [`${X}bash <<END\n$X\nEND`, 'touch ran', 'not judged'],
    [`${X}echo "$X" > f; bash f`, 'touch ran', 'not judged'],
    [`${X}find . -maxdepth 0 -exec $X \\;`, 'touch ran', 'not judged'],
    [`${X}awk "$X"`, 'BEGIN { system("touch ran") }', 'not judged'],
    [`${X}git -c alias.z="!$X" z`, 'touch ran', 'not judged'],
    [`${X}tar cf /dev/null "$X" /dev/null`, '--use-compress-program=touch ran', 'not judged'],
    [`${X}echo a | sed "$X"`, '1e touch ran', 'not judged'],
    [`${X}xargs $X`, 'touch ran', 'not judged'],
    [`${X}env "$X" true`, undefined, 'not judged'],
    [`${X}PATH="$X" true`, undefined, 'not judged'],
    [`${X}export PATH="$X"`, undefined, 'not judged'],
    [`${X}echo() { bash -c "$1"; }\necho "$X"`, 'touch ran', 'not judged'],
    [`[[ ${Q} -gt 10 ]]`, SUBSCRIPT, 'code'],
    [`echo $(( ${Q} ))`, undefined, 'code'],
    [`test -v ${Q}`, SUBSCRIPT, 'code'],
    [`unset ${Q}`, undefined, 'code'],
    ['[[ {{ .x | pattern "^[A-Z]+$" }} -gt 1 ]]\n{{ .y | asenv "Y" }}', 'Y', 'not judged'],
  ] as const)('%j with %j is %s', (source, value, expected) => {
    expect(verdict(source)).toBe(expected)
    if (value !== undefined) expect(runs(source, { x: value, y: SUBSCRIPT })).toBe(true)
  })

  test.each([
    'BASH_ENV',
    'PS4',
    'PROMPT_COMMAND',
    'PATH',
    'LD_PRELOAD',
    'OPENSSL_CONF',
    'GIT_SSH_COMMAND',
    'PSQLRC',
    'NODE_OPTIONS',
    'PAGER',
  ])('a variable that programs obey: %s', (name) => {
    expect(verdict(`{{ .x | asenv "${name}" }}`)).toBe('code')
  })
})

test('a number, by its type or its pattern, may stand in arithmetic', () => {
  for (const limit of ['type "number"', 'pattern "^[0-9]+$"'])
    expect(verdict(`{{ .x | ${limit} | asenv "X" }}\n[[ "$X" -gt 10 ]] && ((y=X))`)).toBe('data')
})

test.each([
  `${X}echo "$X"`,
  `${X}if [ "$X" -gt 10 ]; then echo "more: $X"; fi`,
  `${X}[ -n "$X" ] && [[ "$X" == yes ]]`,
  `${X}printf '%s\\n' "$X" | grep -c a`,
  `${X}printf 'Authorization: %s' "$X" | curl -H @- "https://$X/"`,
  `${X}for f in "$X" b; do cat -- "$f"; done`,
  `${X}for f in a; do\n  echo "$X"\ndone | sort\n{ echo a; } >&2`,
  `${X}f() {\n  echo "$X" >&2\n}\nf\nf | cat`,
  `${X}{{ if .x }}\necho a\n{{- end }}\necho "$X"`,
  `${X}export Y="$X"\necho "\${Y:-none}" >/dev/null # "$X" is there`,
  `echo ${Q} 'it' "is"`,
])('a form that keeps a value data is said to: %j', (source) => {
  expect(verdict(source)).toBe('data')
  for (const x of HOSTILE) expect([x, runs(source.replace('curl', 'cat'), { x })]).toEqual([x, false])
})

test('what lint calls data bash does not run, in any mix of forms and values', { timeout: 120_000 }, () => {
  const word = fc.constantFrom(
    '"$X"',
    '"$Y"',
    '$X',
    'X',
    '"a$X"',
    "'$X'",
    '"${X:-a}"',
    '"${!X}"',
    Q,
    '-v',
    '-n',
    '=',
    '-gt',
    '1',
    '$((X))',
    '"$_"',
    'RANDOM="$X"',
    '--',
    '!',
  )
  const program = fc.constantFrom(
    'echo',
    'printf',
    "printf '%s'",
    '[',
    '[[',
    'test',
    'let',
    'read',
    'export',
    'declare',
    'unset',
    'cat',
    'bash -c',
    'Y=',
    'Y="$X"',
    'eval',
    'if [',
    'for Y in',
    'printf -v',
    'curl -s',
    ':',
    'local',
    'declare -x -i Y',
    '{{ if .z }}echo{{ end }}',
    '{',
    '}',
    'f()',
    'f',
    'exec',
  )
  const end = fc.constantFrom(
    '',
    ']',
    ']]',
    '; then :; fi',
    '; do :; done',
    '| cat',
    '| bash',
    '>/dev/null',
    '> f',
    '<<< "$X"',
    '&& ((Y))',
    '# $X',
  )
  const line = fc
    .record({ program, words: fc.array(word, { maxLength: 4 }), end })
    .map(({ program: first, words, end: last }) => [first, ...words, last].join(' '))
  const script = fc
    .array(line, { minLength: 1, maxLength: 3 })
    .map((lines) => `${X}{{ .y | asenv "Y" }}\n${lines.join('\n')}\n`)
  let data = 0
  fc.assert(
    fc.property(script, fc.constantFrom(...HOSTILE), fc.constantFrom(...HOSTILE), (source, x, y) => {
      if (verdict(source) !== 'data') return
      data++
      expect(runs(source, { x, y })).toBe(false)
    }),
    { numRuns: 1000 },
  )
  expect(data).toBeGreaterThan(50)
})
