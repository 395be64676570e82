import { isReadAsCode } from '../../basics/code-variables.ts'
import {
  nodeText,
  type Pipeline,
  type Range,
  type TemplateStatement,
} from '../../golang/template/syntax/ast.ts'
import { decodeText, encodeText, type ByteString } from '../../golang/text/byte-string.ts'
import { RUNBOOK } from '../functions.ts'
import { discoverInputs } from '../inputs.ts'
import { encodeSource, parseStatements } from '../../golang/template/syntax/parser.ts'
import { Variables } from '../../golang/template/syntax/reader.ts'
import {
  anything,
  charactersIn,
  DIGITS,
  firstOutside,
  type Flow,
  flowOf,
  type PassedVariable,
  type Scope,
  union,
  WORD,
} from './flow.ts'
import { bareUses, declaredFlows, problemWith, unfollowedUses } from './verdict.ts'
import { Cursor, type Language } from './place.ts'
import { CLOSE, FORK, OPEN, withoutWholeLines } from './shell-words.ts'
import { judgedUses } from './uses.ts'

export type { Language } from './place.ts'

export interface LintFinding {
  /** Number of the line. The first line is 1. */
  readonly line: number
  /** Number of the byte in the line. The first byte is 1. */
  readonly column: number
  readonly parameter: string
  readonly action: string
  readonly problem: string
  readonly safe: string
  /** `not judged` means that the linter does not know what the script does with the value. */
  readonly verdict: 'code' | 'not judged'
}

interface LintOptions {
  /** Undefined when the language is not known. */
  readonly language: Language | undefined
  /** If it is true, only guards that hoop's gateway also enforces are accepted. */
  readonly portable: boolean
  /** True for ksh and zsh, which evaluate more than bash. */
  readonly isOtherShell?: boolean
}

/**
 * Finds parameters that reach a script unguarded. Also finds values that the script uses as code, or in a way
 * that cannot be judged. Follows quotes and blocks while their state is certain. After that, a value must be
 * harmless in every place.
 * @throws TemplateError, stage `parse`
 */
export function lintTemplate(source: string, options: LintOptions): readonly LintFinding[] {
  const bytes = encodeSource(source)
  const statements = parseStatements(bytes, RUNBOOK)
  discoverInputs(statements)
  const walk = new Walk(bytes, statements, options)
  walk.statements(statements, new Cursor(options.language), undefined)
  if (options.language === 'sql') walk.bareVariables()
  walk.judgeUses()
  return walk.findings
}

class Walk {
  readonly findings: LintFinding[] = []
  readonly #source: ByteString
  readonly #options: LintOptions
  readonly #parameters: ReadonlyMap<string, Flow>
  readonly #variables = new Variables<Flow>()
  /** Assigned variables, which may have any value, because the linter does not follow assignments. */
  readonly #assigned: ReadonlySet<ByteString>
  /** Variables of the environment whose values come from parameters. */
  readonly #passed = new Map<string, Flow>()
  /** The script in pieces, with their places in the source. */
  #pieces: { readonly text: string; readonly at: number }[] = []
  /**
   * Parameters that are written into the script. The text of the script contains their indexes in this list.
   */
  readonly #written: { readonly flow: Flow; readonly action: string }[] = []
  #read = 0

  constructor(source: ByteString, statements: readonly TemplateStatement[], options: LintOptions) {
    this.#source = source
    this.#options = options
    this.#parameters = declaredFlows(statements, options.portable)
    this.#assigned = new Set(assignedIn(source))
  }

  statements(statements: readonly TemplateStatement[], cursor: Cursor, dot: Flow | undefined): void {
    for (const statement of statements) this.#statement(statement, cursor, dot)
  }

  #statement(statement: TemplateStatement, cursor: Cursor, dot: Flow | undefined): void {
    switch (statement.kind) {
      case 'text':
        this.#read = Math.max(this.#source.indexOf(statement.bytes, this.#read), this.#read)
        this.#pieces.push({ text: decodeText(statement.bytes), at: this.#read })
        this.#read += statement.bytes.length
        cursor.read(decodeText(statement.bytes))
        break
      case 'action':
        this.#action(statement.pipeline, cursor, dot)
        break
      case 'if':
      case 'with':
        this.#choice(statement, cursor, dot)
        break
      case 'range':
        this.#range(statement, cursor, dot)
        break
      default:
        // `break` and `continue` leave a loop in the middle, so the next text is unknown.
        cursor.lose()
    }
  }

  #action(pipeline: Pipeline, cursor: Cursor, dot: Flow | undefined): void {
    const flow = this.#evaluate(pipeline, dot)
    if (pipeline.declares.length > 0) return
    const position = { ...cursor.place, after: this.#after(pipeline) }
    const problem = problemWith(flow, position, this.#options.language)
    const action = decodeText(nodeText(pipeline))
    if (problem !== undefined) this.#report(pipeline.at, action, flow, problem)
    this.#read = Math.max(pipeline.at, this.#read)
    if (writesNothing(pipeline)) return
    cursor.skip()
    const isJudged = problem !== undefined || flow.from.size === 0 || isNumeric(flow)
    const text = isJudged ? 'x' : `${OPEN}${this.#written.push({ flow, action }) - 1}${CLOSE}`
    this.#pieces.push({ text, at: pipeline.at })
  }

  #choice(
    choice: Extract<TemplateStatement, { kind: 'if' | 'with' }>,
    cursor: Cursor,
    dot: Flow | undefined,
  ): void {
    const mark = this.#variables.mark()
    const ways: Cursor[] = []
    for (const { pipeline, body } of choice.arms) {
      const value = this.#evaluate(pipeline, dot)
      const way = cursor.fork()
      this.#fork(pipeline.at)
      this.statements(body, way, choice.kind === 'with' ? value : dot)
      ways.push(way)
    }
    this.#fork(this.#read)
    this.statements(choice.otherwise, cursor, dot)
    this.#fork(this.#read)
    cursor.join(ways)
    this.#variables.release(mark)
  }

  /** Marks a place where the text can continue in several ways. */
  #fork(at: number): void {
    this.#pieces.push({ text: FORK, at })
  }

  /** Walks through the body twice. The second walk begins with the state at the end of the first. */
  #range(range: Range, cursor: Cursor, dot: Flow | undefined): void {
    const mark = this.#variables.mark()
    const value = this.#evaluate(range.pipeline, dot)
    const element = value.from.size === 0 ? value : anything(...value.from)
    for (const { name } of range.pipeline.declares) this.#declare(name, element)
    const once = cursor.fork()
    this.#fork(range.pipeline.at)
    const [findings, pieces, read] = [this.findings.length, this.#pieces.length, this.#read]
    this.statements(range.body, once, element)
    this.findings.length = findings
    this.#pieces.length = pieces
    this.#read = read
    cursor.join([once])
    const turn = cursor.fork()
    this.statements(range.body, turn, element)
    this.#variables.release(mark)
    this.#fork(this.#read)
    this.statements(range.otherwise, cursor, dot)
    this.#fork(this.#read)
    cursor.join([turn])
  }

  #evaluate(pipeline: Pipeline, dot: Flow | undefined): Flow {
    const scope: Scope = {
      parameters: this.#parameters,
      variables: this.#variables,
      dot,
      onVariable: (variable) => {
        this.#pass(variable)
      },
    }
    const flow = flowOf(pipeline, scope)
    for (const { name } of pipeline.declares) this.#declare(name, flow)
    return flow
  }

  #declare(name: ByteString, flow: Flow): void {
    this.#variables.declare(name, this.#assigned.has(name) ? anything(name) : flow)
  }

  #pass({ command, name, names, value }: PassedVariable): void {
    const report = (flow: Flow, problem: string) => {
      this.#report(command.at, decodeText(nodeText(command)), flow, problem)
    }
    if (name === undefined) report(names, 'the value names a variable of the environment')
    else if (value.from.size > 0 && isReadAsCode(name))
      report(value, `the variable ${name} changes what programs do`)
    else if (value.from.size > 0) this.#passed.set(name, value)
  }

  /**
   * Finds `:name` of psql without the quotes of `:'name'`. The value of `:name` becomes a part of the
   * statement.
   */
  bareVariables(): void {
    const place = { kind: 'plain', before: '', after: '', isStatementStart: false } as const
    for (const { at, text, variable } of bareUses(this.#source)) {
      const flow = this.#passed.get(variable)
      const problem = flow === undefined ? undefined : problemWith(flow, place, 'sql')
      if (flow !== undefined && problem !== undefined)
        this.#report(at, text, flow, `psql inserts the value without quotes, and ${problem}`)
    }
  }

  /** Reports what the script does with variables and with escaped or limited parameters. */
  judgeUses(): void {
    const { language, isOtherShell = false } = this.#options
    const values = new Map([...this.#passed].filter(([, flow]) => !isNumeric(flow)))
    const variables = new Set(values.keys())
    for (const [number, { flow }] of this.#written.entries()) values.set(`${OPEN}${number}${CLOSE}`, flow)
    const text = withoutWholeLines(this.#pieces.map((piece) => piece.text).join(''))
    const isWord = (flow: Flow) => flow.escapedBy === undefined && flow.marks === undefined && isOneWord(flow)
    const [free, words] = [false, true].map(
      (is) => new Set([...values].filter(([, flow]) => isWord(flow) === is).map(([name]) => name)),
    )
    const uses =
      language === 'shell' && !isOtherShell
        ? judgedUses(text, free ?? new Set(), words ?? new Set())
        : unfollowedUses(text, variables, isOtherShell ? undefined : language)
    for (const { at, name, problem, isCode } of uses) {
      const number = Number(name.slice(OPEN.length, -CLOSE.length))
      const written = name.startsWith(OPEN) ? this.#written[number] : undefined
      const action = written?.action ?? name
      const flow = values.get(name) ?? anything(...[...values.values()].flatMap(({ from }) => [...from]))
      this.#report(this.#place(at), action, flow, problem, isCode ? 'code' : 'not judged')
      const last = this.findings.pop()
      if (last !== undefined) this.findings.push({ ...last, safe: numberOnly(last.parameter) })
    }
  }

  /** Converts an offset in the script to an offset in the source. */
  #place(at: number): number {
    let rest = at
    for (const piece of this.#pieces) {
      if (rest < piece.text.length)
        return piece.at + (piece.text.startsWith(OPEN) ? 0 : encodeText(piece.text.slice(0, rest)).length)
      rest -= piece.text.length
    }
    return 0
  }

  /** Returns the source after an action, up to the end of the shell's command. */
  #after({ at }: Pipeline): string {
    const end = this.#source.indexOf('}}', at)
    REST_OF_COMMAND.lastIndex = end < 0 ? this.#source.length : end + 2
    return REST_OF_COMMAND.exec(this.#source)?.[0] ?? ''
  }

  #report(
    at: number,
    action: string,
    flow: Flow,
    problem: string,
    verdict: LintFinding['verdict'] = 'code',
  ): void {
    const before = this.#source.slice(0, at)
    const [parameter = ''] = flow.from
    this.findings.push({
      line: before.split('\n').length,
      column: at - before.lastIndexOf('\n'),
      parameter: [...flow.from].join(', '),
      action,
      problem,
      verdict,
      safe: `${safeForm(parameter, this.#options.language)}${isFormat(action, before) ? LITERAL : ''}`,
    })
  }
}

/** Returns whether a value can neither be the name of a shell variable nor a subscript. */
function isNumeric({ characters, isNumber }: Flow): boolean {
  return isNumber === true || (characters !== undefined && firstOutside(characters, NUMERIC) === undefined)
}

const NUMERIC = union(DIGITS, charactersIn('.:-'))

/** Whether the shell reads all characters as parts of one plain word. */
function isOneWord({ characters }: Flow): boolean {
  return characters !== undefined && firstOutside(characters, ONE_WORD) === undefined
}

const ONE_WORD = union(WORD, charactersIn('./:@%+,-'))

/** Advice for a value that bash evaluates, where only a number is data. */
function numberOnly(parameter: string): string {
  return `{{ .${/^\w+$/.test(parameter) ? parameter : 'name'} | pattern "^[0-9]+$" }} if the value is a number; otherwise use another command`
}

/** Advice for another program's template, such as `docker ps --format '{{.Names}}'`. */
const LITERAL =
  '; to write literal braces: {{ with "{{.Names}}" }}{{ . }}{{ end }} (docs/runbooks.md, Literal braces)'

/**
 * Returns whether an action looks like another program's template. Such an action begins with a capitalized
 * name and is on a line about a format.
 */
function isFormat(action: string, before: ByteString): boolean {
  const line = before.slice(before.lastIndexOf('\n') + 1)
  return /^\.[A-Z]/.test(action) && /format|template|\s-[fo][\s=]/i.test(line)
}

/** Matches the rest of a command, across lines that end with a pipe or a backslash. */
const REST_OF_COMMAND = /(?:[^\n\\|]|\\[^]|\|\s*){0,2000}/y

/** A pipeline that ends with `asenv` writes no text. */
function writesNothing({ commands }: Pipeline): boolean {
  const callee = commands.at(-1)?.words[0]
  return callee?.kind === 'identifier' && callee.name === 'asenv'
}

/** Returns the variables before a `=`, inside or outside of actions. */
function assignedIn(source: ByteString): ByteString[] {
  const assigned = /(\$[^\s$=:,|(){}.]*)\s*(?:,\s*(\$[^\s$=:,|(){}.]*)\s*)?=(?!=)/g
  return [...source.matchAll(assigned)].flatMap(([, first = '', second = '']) => [first, second])
}

/** Returns the form in which a parameter stays data in our gateway and in hoop's. */
function safeForm(parameter: string, language: Language | undefined): string {
  const isName = /^\w+$/.test(parameter)
  const name = isName ? parameter : 'name'
  const variable = name.toUpperCase()
  const declared = `{{ .${name} | asenv "${variable}" }} on a line of its own`
  switch (language) {
    case 'shell':
      return `${declared}, and "$${variable}" here`
    case 'sql':
      return `${declared}, \\getenv ${name} ${variable} and :'${name}' here (psql 15); or the base64 of the value, which the database decodes`
    case 'python':
      return `${declared}, and os.environ["${variable}"] here`
    case undefined:
      return `${declared}, and the variable ${variable} here`
  }
}
