import { isReadAsCode } from '../../basics/code-variables.ts'
import { BARE, logicalLines, readCommands, type SimpleCommand, type Word } from './shell-words.ts'

export interface Use {
  readonly at: number
  readonly name: string
  readonly problem: string
  /** False when the linter is not certain whether the value can be code at this place. */
  readonly isCode: boolean
}

const ARITHMETIC = 'bash evaluates the value as arithmetic, in which a subscript like a[$(id)] runs a command'
const NAME =
  'bash reads the value as the name of a variable, in which a subscript like a[$(id)] runs a command'
const CODE = 'the value is a part of code'
const UNREAD = 'this line is too complex for the linter'

/** Programs that read their arguments as data, and whose options run nothing. */
const PLAIN = words(
  'echo printf cat head tail wc cut tr ls basename dirname stat sleep touch mkdir rmdir rm cp mv df du id grep fgrep egrep cmp seq',
  'md5sum sha1sum sha256sum sha512sum readlink realpath logger nl rev paste uniq true false : cd exit return shift for export',
  'local readonly declare typeset test [ [[ case',
)
/**
 * Programs that read their arguments as data, but have options that run commands or read files with commands.
 */
const WITHOUT_OPTIONS = words('curl ln chmod chown gzip gunzip base64 ping host')
const KEYWORDS = words('if then else elif fi while until do done esac ! { } time')
const DECLARING = words('export local readonly declare typeset')
const NAMING = words('read unset mapfile readarray getopts wait let')
const COMPARING = words('= == != -eq -ne -lt -le -gt -ge -nt -ot -ef')

/** Commands that evaluate a text outside their line, such as the value of a variable named without `$`. */
const EVALUATING =
  /\(\(|\$\[|\blet\b|\[\[[^\n]*\s-(?:eq|ne|lt|le|gt|ge|v|R)\s|(?:\[|\btest)\s+(?:!\s+)?-[vR]\s|\$\{!|\w\[[^\]]|\$\{\w+:(?![-=?+])|\bprintf\s+-v\s*(?!\w+[\s;])|\b(?:declare|typeset|local|readonly|export)\s+(?!-[xrgp]+\s+\w)[^\w\s]|\b(?:eval|source|trap|coproc|envsubst|printenv|compgen)\b|\benv\s*(?:[|>]|$)|\bexec\s+[\d{<>&]|(?:^|[;&|\n])\s*\.\s/

/** A group, a loop or a choice whose output is piped or redirected. */
const GROUP_OUTPUT = /(?:\}|\)|\b(?:done|fi|esac))\s*(?:\|(?!\|)|\d*>|&>)/
/** Redirections whose output no command reads. */
const UNREAD_OUTPUT = /(?<!\d)\d*>\s*(?:&\s*\d|\/dev\/(?:null|stderr|stdout)\b)/g

/** Parts of a line that set a variable. */
const SETTING =
  /(?:^|[\s;&|(])(\w+)(?:\[[^\n]*?\])?\+?=|\b(?:read|mapfile|readarray|for|select|getopts)\b([^\n;|&]*)|\bprintf\s+-v\s*(\w+)/g

/**
 * Finds how a script of bash or dash uses values. Leaves out uses in which a value stays data. For a few
 * programs, the linter knows what they do with their arguments and environment.
 * `text` has each written parameter as a number between OPEN and CLOSE. `values` may be anything. Each of
 * `words` is a single harmless word, which can do harm only as the name of a variable.
 */
export function judgedUses(
  text: string,
  values: ReadonlySet<string>,
  words: ReadonlySet<string>,
): readonly Use[] {
  const lines = logicalLines(text)
  const places = (judge: (line: string) => Judged | undefined): Use[] =>
    lines.flatMap(({ at, text: line }) => {
      const judged = judge(line)
      return judged === undefined ? [] : [{ at: at + Math.max(line.indexOf(judged.name), 0), ...judged }]
    })
  const asNames = places((line) => {
    const name = evaluatedIn(line, words)?.name ?? namedIn(line, words)
    return name === undefined
      ? undefined
      : notJudged(name, 'the value may name another variable, which bash evaluates')
  })
  if (values.size === 0) return asNames
  const [any = ''] = values
  if (redefines(text)) return [{ at: 0, ...notJudged(any, 'the script redefines a command') }]
  const functions = functionsOf(text)
  const reached = reachedFrom(
    lines.map((line) => line.text),
    values,
    functions,
  )
  const uses = places((line) => {
    const isOutput = passesOutput(line, functions)
    const judged =
      mentioned(line, reached).length === 0 && !isOutput
        ? undefined
        : judgedLine(line, reached, isOutput ? { any, functions } : undefined)
    if (judged !== undefined || !EVALUATING.test(withoutText(line))) return judged
    return notJudged(mentioned(line, reached)[0] ?? any, 'this line may evaluate the value')
  })
  return [...asNames, ...uses]
}

const FUNCTION = /(?<![\w[])([\w[]+)\s*\(\s*\)|\bfunction\s+([\w[]+)/g

function functionsOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(FUNCTION)].map(([, first, second = '']) => first ?? second))
}

/** Whether the script defines an alias, or a function with the name of a known command. */
function redefines(text: string): boolean {
  const names = [...functionsOf(text)]
  return /\balias\b/.test(text) || names.some((name) => PLAIN.has(name) || WITHOUT_OPTIONS.has(name))
}

/**
 * Returns whether a line passes on the output of a group or a function whose commands are on other lines. The
 * output may contain a value whose name is not on this line.
 */
function passesOutput(line: string, functions: ReadonlySet<string>): boolean {
  const text = withoutText(line).replace(FUNCTION, '').replace(UNREAD_OUTPUT, '')
  if (GROUP_OUTPUT.test(text)) return true
  return /(?<!\|)\|(?!\|)|>|`|\$\(/.test(text) && mentioned(text, functions).length > 0
}

/** Finds a value that the line gives to a command as the name of a variable, such as `x` in `read $x`. */
function namedIn(line: string, values: ReadonlySet<string>): string | undefined {
  const commands = readCommands(line) ?? []
  return commands
    .filter(({ words: [first] }) => NAMING.has(first?.lead ?? '') || DECLARING.has(first?.lead ?? ''))
    .flatMap(({ words: all }) => all.flatMap(({ uses, lead }) => (/^\w+\+?=/.test(lead) ? [] : uses)))
    .find((use) => values.has(use))
}

/** Returns the values, and all variables that get such a value, directly or through other variables. */
function reachedFrom(
  lines: readonly string[],
  values: ReadonlySet<string>,
  functions: ReadonlySet<string>,
): ReadonlySet<string> {
  // `$_` is the last argument of the previous command.
  const reached = new Set([...values, '_'])
  for (let before = -1; before < reached.size;) {
    before = reached.size
    for (const line of lines) {
      if (mentioned(line, reached).length === 0 && !passesOutput(line, functions)) continue
      for (const [, assigned = '', listed = '', printed = ''] of line.matchAll(SETTING))
        for (const name of `${assigned} ${listed} ${printed}`.match(/\b[A-Za-z_]\w*/g) ?? [])
          reached.add(name)
    }
  }
  return reached
}

function mentioned(line: string, values: ReadonlySet<string>): string[] {
  return (line.match(/\ue000\d+\ue001|\w+/g) ?? []).filter((word) => values.has(word))
}

type Judged = Omit<Use, 'at'>

/** `output` is set if `passesOutput` is true for the line. */
function judgedLine(
  line: string,
  values: ReadonlySet<string>,
  output: { readonly any: string; readonly functions: ReadonlySet<string> } | undefined,
): Judged | undefined {
  const evaluated = evaluatedIn(line, values)
  if (evaluated !== undefined) return evaluated
  const commands = readCommands(line)
  const name = mentioned(line, values)[0] ?? output?.any
  if (commands === undefined) return notJudged(name, UNREAD)
  const isPiped = /(?<!\|)\|(?!\|)/.test(withoutText(line))
  for (const command of commands) {
    const judged = judgedCommand(command, values)
    if (judged !== undefined) return judged
    const program = programOf(command)?.lead ?? ''
    // True if the program reads another program's output, or has the name of a variable in its arguments.
    const isReached = isPiped || mentioned(textOf(command), values).length > 0
    if (isReached && !isKnown(program) && output?.functions.has(program) !== true)
      return notJudged(name, unknown(program))
    if (command.written.some(({ text }) => !/^\/dev\/(?:null|stderr|stdout)$/.test(text)))
      return notJudged(name, 'the value may be written to a file')
  }
  return undefined
}

function programOf({ words: all }: SimpleCommand): Word | undefined {
  return all.find(({ text }) => !KEYWORDS.has(text) && !/^\w+\+?=/.test(text))
}

function textOf(command: SimpleCommand): string {
  return command.words.map(({ text }) => text).join(' ')
}

function isKnown(program: string): boolean {
  return (
    program === '' ||
    PLAIN.has(program) ||
    WITHOUT_OPTIONS.has(program) ||
    /^(?:read|unset|sort)$/.test(program)
  )
}

function unknown(program: string): string {
  return `the linter does not know what ${program} does with the value`
}

/** Finds a value that bash evaluates, also on lines that `readCommands` does not understand. */
function evaluatedIn(line: string, values: ReadonlySet<string>): Judged | undefined {
  const contexts: readonly (readonly [RegExp, string])[] = [
    [/\$?\(\(((?:[^()]|\([^()]*\))*)\)\)/g, ARITHMETIC],
    [/\$\[([^\]]*)\]/g, ARITHMETIC],
    [/\[\[([^\n]*?\s-(?:eq|ne|lt|le|gt|ge)\s[^\n]*?)\]\]/g, ARITHMETIC],
    [/\$\{\w+:(?![-=?+])([^}]*)\}/g, ARITHMETIC],
    [/\$\{(![^}]*)\}/g, NAME],
    [/\$\{[!#]?\w+\[([^\]\n]*)\]/g, NAME],
    [/(?:^|[\s;&|])\w+\[([^\]\n]*)\]\+?=/g, NAME],
  ]
  for (const [context, problem] of contexts)
    for (const [, inside = ''] of withoutText(line).matchAll(context)) {
      const [name] = mentioned(inside, values)
      if (name !== undefined) return { name, problem, isCode: true }
    }
  return undefined
}

function judgedCommand(
  { words: all, written }: SimpleCommand,
  values: ReadonlySet<string>,
): Judged | undefined {
  const used = ({ uses }: Word) => uses.find((use) => values.has(use))
  const target = written.map(used).find((name) => name !== undefined)
  if (target !== undefined) return notJudged(target, 'the value names a file, or a command reads the value')
  const program = programOf({ words: all, written })
  const start = program === undefined ? all.length : all.indexOf(program)
  for (const word of all.slice(0, start)) {
    const name = used(word)
    const variable = /^\w+/.exec(word.text)?.[0] ?? ''
    if (name !== undefined && isReadAsCode(variable)) return notJudged(name, obeyed(variable))
  }
  if (program === undefined) return undefined
  const named = used(program)
  if (named !== undefined)
    return { name: named, problem: 'the value is the name of the command', isCode: true }
  const args = all.slice(start + 1)
  const using = args.filter((word) => used(word) !== undefined)
  const [name] = using.map(used)
  if (program.lead === 'let') {
    const [inText] = mentioned(textOf({ words: args, written }), values)
    if (inText !== undefined) return { name: inText, problem: ARITHMETIC, isCode: true }
  }
  return name === undefined ? undefined : judgedArguments(program.lead, args, using, name)
}

function judgedArguments(
  program: string,
  args: readonly Word[],
  using: readonly Word[],
  name: string,
): Judged | undefined {
  const follows = (option: RegExp) =>
    args.some((word, at) => using.includes(word) && option.test(args[at - 1]?.text ?? ''))
  const isTest = /^(?:test|\[\[?)$/.test(program)
  if (/^(?:eval|source|\.|trap)$/.test(program)) return { name, problem: CODE, isCode: true }
  if (/^(?:ba|da|k|z)?sh$/.test(program) && follows(/^-\w*c$/)) return { name, problem: CODE, isCode: true }
  if (NAMING.has(program)) return { name, problem: NAME, isCode: true }
  if ((isTest || program === 'printf') && follows(/^-[vR]$/)) return { name, problem: NAME, isCode: true }
  if (DECLARING.has(program)) return judgedDeclaration(args, using, name)
  const [first] = args
  if (program === 'for' && isReadAsCode(first?.text ?? '')) return notJudged(name, obeyed(first?.text ?? ''))
  if (using.some(({ uses }) => uses.includes(BARE)))
    return notJudged(name, 'without double quotes the value may become several words')
  if (isTest && !isPlainTest(program, args)) return notJudged(name, 'bash may read the value as an operator')
  const [format] = args
  if (program === 'printf' && (format === undefined || format.uses.length > 0 || mayBeOption(format)))
    return notJudged(name, 'printf may read the value as an option')
  if (PLAIN.has(program)) return undefined
  if (!WITHOUT_OPTIONS.has(program)) return notJudged(name, unknown(program))
  const end = args.findIndex(({ text }) => text === '--')
  const isOption = using.some((word) => mayBeOption(word) && (end < 0 || args.indexOf(word) < end))
  return isOption
    ? notJudged(name, `${program} may read the value as an option; put -- before the value`)
    : undefined
}

function mayBeOption({ lead }: Word): boolean {
  return lead === '' || lead.startsWith('-')
}

function obeyed(variable: string): string {
  return `the variable ${variable} changes what programs do`
}

/**
 * Judges a declaration `NAME="$X"`. The value is data if no attribute of NAME lets bash evaluate the value.
 */
function judgedDeclaration(args: readonly Word[], using: readonly Word[], name: string): Judged | undefined {
  if (using.some(({ lead }) => !/^\w+\+?=/.test(lead))) return { name, problem: NAME, isCode: true }
  if (args.some(({ lead }) => /^[-+]\w*[inaA]/.test(lead)))
    return notJudged(name, 'an attribute of the variable may evaluate the value')
  const variable = using.map(({ lead }) => /^\w+/.exec(lead)?.[0] ?? '').find(isReadAsCode)
  return variable === undefined ? undefined : notJudged(name, obeyed(variable))
}

/** Whether the author wrote the operator of a test. `evaluatedIn` finds the arithmetic of `[[`. */
function isPlainTest(program: string, args: readonly Word[]): boolean {
  const close = { '[': ']', '[[': ']]' }[program]
  if (close !== undefined && args.at(-1)?.text !== close) return false
  const tested = args.slice(args[0]?.text === '!' ? 1 : 0, close === undefined ? undefined : -1)
  const [first, second] = tested.map(({ text, uses }) => (uses.length === 0 ? text : ''))
  if (tested.length === 2) return /^-[a-uw-zA-QS-Z]$/.test(first ?? '')
  return tested.length === 1 || (tested.length === 3 && COMPARING.has(second ?? ''))
}

function notJudged(name: string | undefined, problem: string): Judged {
  return { name: name ?? '', problem, isCode: false }
}

/** Drops comments and texts in single quotes. Returns the whole line if quotes may be nested. */
function withoutText(line: string): string {
  if (/[`]|\$\(/.test(line)) return line
  const outside = /"(?:[^"\\]|\\[^])*"|'[^']*'|\\[^]|(?<=^|[\s;&|(])#[^\n]*|[^]/g
  return line.replace(outside, (part) => (/^(?:'[^']+'|#.*)$/s.test(part) && part !== '#' ? "''" : part))
}

function words(...lists: readonly string[]): ReadonlySet<string> {
  return new Set(lists.flatMap((list) => list.split(' ')))
}
