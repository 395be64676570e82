import type { Command, Pipeline, Range, Statement } from '../ast.ts'
import { decodeText, type ByteString } from '../bytestring.ts'
import { RUNBOOK } from '../functiontable.ts'
import { discoverInputs } from '../inputs.ts'
import { nodeText } from '../nodetext.ts'
import { parseStatements } from '../parser.ts'
import { encodeSource } from '../source.ts'
import { Variables } from '../variables.ts'
import { declaredFlows } from './declared.ts'
import { anything, flowOf, type Flow, type Scope } from './flow.ts'
import { Cursor, type Language } from './place.ts'
import { safeForm } from './safe-form.ts'
import { problemWith } from './verdict.ts'

export type { Language } from './place.ts'

/** A parameter that can become code. */
export interface Finding {
  /** From 1. */
  readonly line: number
  /** In bytes, from 1. */
  readonly column: number
  readonly parameter: string
  /** What stands there. */
  readonly action: string
  readonly problem: string
  readonly safe: string
}

export interface LintOptions {
  /** Of the text that the template makes; undefined for one that is not known. */
  readonly language: Language | undefined
  /** Counts as guarded only what a hoop gateway enforces too. */
  readonly portable: boolean
}

/**
 * Finds the parameters that reach the text of a script unguarded. It follows quotes and blocks as far as that is
 * certain; behind that only what is harmless anywhere counts as guarded.
 * @throws TemplateError, stage `parse`
 */
export function lintTemplate(source: string, options: LintOptions): readonly Finding[] {
  const bytes = encodeSource(source)
  const statements = parseStatements(bytes, RUNBOOK)
  discoverInputs(statements)
  const walk = new Walk(bytes, statements, options)
  walk.statements(statements, new Cursor(options.language), undefined)
  return walk.findings
}

class Walk {
  readonly findings: Finding[] = []
  readonly #source: ByteString
  readonly #options: LintOptions
  readonly #parameters: ReadonlyMap<string, Flow>
  readonly #variables = new Variables<Flow>()
  /** Variables that get a new value somewhere: when, is not followed. */
  readonly #assigned: ReadonlySet<ByteString>

  constructor(source: ByteString, statements: readonly Statement[], options: LintOptions) {
    this.#source = source
    this.#options = options
    this.#parameters = declaredFlows(statements, options.portable)
    this.#assigned = new Set(assignedIn(source))
  }

  statements(statements: readonly Statement[], cursor: Cursor, dot: Flow | undefined): void {
    for (const statement of statements) this.#statement(statement, cursor, dot)
  }

  #statement(statement: Statement, cursor: Cursor, dot: Flow | undefined): void {
    switch (statement.kind) {
      case 'text':
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
        // Where a loop is left in the middle, the text goes on elsewhere.
        cursor.lose()
    }
  }

  #action(pipeline: Pipeline, cursor: Cursor, dot: Flow | undefined): void {
    const flow = this.#evaluate(pipeline, dot)
    if (pipeline.declares.length > 0) return
    const problem = problemWith(flow, cursor.place, this.#options.language)
    if (problem !== undefined) this.#report(pipeline, flow, problem)
    if (!writesNothing(pipeline)) cursor.skip()
  }

  #choice(choice: Extract<Statement, { kind: 'if' | 'with' }>, cursor: Cursor, dot: Flow | undefined): void {
    const mark = this.#variables.mark()
    const ways: Cursor[] = []
    for (const { pipeline, body } of choice.arms) {
      const value = this.#evaluate(pipeline, dot)
      const way = cursor.fork()
      this.statements(body, way, choice.kind === 'with' ? value : dot)
      ways.push(way)
    }
    this.statements(choice.otherwise, cursor, dot)
    cursor.join(ways)
    this.#variables.release(mark)
  }

  /** Twice over the body: the second time with what the first one leaves open. */
  #range(range: Range, cursor: Cursor, dot: Flow | undefined): void {
    const mark = this.#variables.mark()
    const value = this.#evaluate(range.pipeline, dot)
    const element = value.from.size === 0 ? value : anything(...value.from)
    for (const { name } of range.pipeline.declares) this.#declare(name, element)
    const once = cursor.fork()
    const findings = this.findings.length
    this.statements(range.body, once, element)
    this.findings.length = findings
    cursor.join([once])
    const turn = cursor.fork()
    this.statements(range.body, turn, element)
    this.#variables.release(mark)
    this.statements(range.otherwise, cursor, dot)
    cursor.join([turn])
  }

  #evaluate(pipeline: Pipeline, dot: Flow | undefined): Flow {
    const scope: Scope = {
      parameters: this.#parameters,
      variables: this.#variables,
      dot,
      onEnvironmentName: (command, names) => {
        this.#report(command, names, 'it names a variable of the environment')
      },
    }
    const flow = flowOf(pipeline, scope)
    for (const { name } of pipeline.declares) this.#declare(name, flow)
    return flow
  }

  #declare(name: ByteString, flow: Flow): void {
    this.#variables.declare(name, this.#assigned.has(name) ? anything(name) : flow)
  }

  #report(node: Pipeline | Command, flow: Flow, problem: string): void {
    const before = this.#source.slice(0, node.at)
    const [parameter = ''] = flow.from
    this.findings.push({
      line: before.split('\n').length,
      column: node.at - before.lastIndexOf('\n'),
      parameter: [...flow.from].join(', '),
      action: decodeText(nodeText(node)),
      problem,
      safe: safeForm(parameter, this.#options.language),
    })
  }
}

/** `asenv` ends a pipeline without a text. */
function writesNothing({ commands }: Pipeline): boolean {
  const callee = commands.at(-1)?.words[0]
  return callee?.kind === 'identifier' && callee.name === 'asenv'
}

/** Names that stand before a `=`, inside of actions or not. */
function assignedIn(source: ByteString): ByteString[] {
  const assigned = /(\$[^\s$=:,|(){}.]*)\s*(?:,\s*(\$[^\s$=:,|(){}.]*)\s*)?=(?!=)/g
  return [...source.matchAll(assigned)].flatMap(([, first = '', second = '']) => [first, second])
}
