import {
  type CallNode,
  nodeText,
  type Operand,
  type Pipeline,
  type TemplateStatement,
} from '../golang/template/syntax/ast.ts'
import { decodeText, type ByteString } from '../golang/text/byte-string.ts'
import { TemplateError } from '../golang/template/errors.ts'
import { brokenRule, declaredLength, ruleWork } from './rules.ts'

/** The list of a parameter's values: another runbook, which a gateway runs to get the values. */
export interface OptionsFrom {
  /** Path of the list, from the root of the repository. */
  readonly list: string
  /** The parameter whose value chooses the lines of the list. */
  readonly of?: string | undefined
}

/**
 * A parameter that a top-level action declares. The functions of the action tell a client how to ask for the
 * value. `checkDeclared` enforces `type`, `options` and lengths before rendering.
 */
export interface Input {
  /** Has letters, digits and underscores. */
  readonly name: string
  /** A type for which clients have a form field. The default is `text`. */
  readonly type: string
  /** Whether the parameter may be missing, because its `default` is not empty. */
  readonly optional: boolean
  /** The message of `required`. It is empty if the argument of `required` is not a plain text. */
  readonly required?: string
  readonly description?: string
  readonly default?: string
  readonly placeholder?: string
  readonly pattern?: string
  /** Lengths as the template writes them. */
  readonly minlength?: string
  readonly maxlength?: string
  readonly options?: readonly string[]
  /** The list that has the values, if a comment of the template names one. */
  readonly optionsFrom?: OptionsFrom
  /** The position in a client's form, if the template gives a number. */
  readonly order?: number
  readonly asenv?: string
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

const TYPES: ReadonlySet<string> = new Set([
  'text',
  'number',
  'tel',
  'time',
  'date',
  'url',
  'email',
  'select',
  'textarea',
  'password',
  'file',
])

/** Matches an action in Go's formatting that declares an input for hoop (protocol.md 9.3). */
const INPUT = /^\{\{\.([a-zA-Z0-9_]+)/
/** Matches the same action where the dot may be something else. */
const ROOT_INPUT = /^\{\{\$\.([a-zA-Z0-9_]+)/

/**
 * Returns the inputs in the order in which they first appear. If several actions have the same input, the
 * last action counts. Like hoop, does not find inputs inside blocks, and refuses any other top-level action.
 */
export function discoverInputs(statements: readonly TemplateStatement[]): Discovered {
  const declarations = statements.flatMap((statement) =>
    statement.kind === 'action' ? [inputOf(statement.pipeline)] : [],
  )
  const inputs = new Map(declarations.map((declared) => [declared.name, declared]))
  return { inputs: [...inputs.values()], declarations }
}

/**
 * Returns the parameters that only blocks use, such as `{{ if }}`. hoop does not list them.
 * @param names all names of parameters that the template may use
 */
export function inputsInBlocks(
  statements: readonly TemplateStatement[],
  inputs: readonly Input[],
  names: readonly string[],
): Input[] {
  const listed = new Set(inputs.map(({ name }) => name))
  const declared = declaredInBlocks(statements, INPUT)
  return names
    .filter((name) => !listed.has(name))
    .map((name) =>
      joined(
        name,
        declared.filter((input) => input.name === name),
      ),
    )
}

/**
 * If the actions of one parameter have different rules, none of the rules is known to apply before the
 * template is rendered. Then the parameter is only secret if one of its actions says so.
 */
function joined(name: string, declared: readonly Input[]): Input {
  const plain: Input = { name, type: 'text', optional: true }
  const described = declared.filter((input) => Object.keys(input).length > 3 || input.type !== 'text')
  const [first, ...others] = new Map(described.map((input) => [JSON.stringify(input), input])).values()
  if (first !== undefined && others.length === 0) return { ...first, optional: true }
  const secret = described.find(({ type }) => type === 'password' || type === 'file')
  return secret === undefined ? plain : { ...plain, type: secret.type }
}

/** @param root matches an action whose parameter is the template's, and not a field of another value */
function declaredInBlocks(statements: readonly TemplateStatement[], root: RegExp): Input[] {
  return statements.flatMap((statement) => {
    switch (statement.kind) {
      case 'action':
        return inputIn(statement.pipeline, root) ?? []
      case 'if':
        return [...statement.arms.map(({ body }) => body), statement.otherwise].flatMap((body) =>
          declaredInBlocks(body, root),
        )
      case 'with':
        return [
          ...statement.arms.flatMap(({ body }) => declaredInBlocks(body, ROOT_INPUT)),
          ...declaredInBlocks(statement.otherwise, root),
        ]
      case 'range':
        return [
          ...declaredInBlocks(statement.body, ROOT_INPUT),
          ...declaredInBlocks(statement.otherwise, root),
        ]
      default:
        return []
    }
  })
}

export interface Discovered {
  readonly inputs: readonly Input[]
  /**
   * One declaration for each action, because a value must keep the rules of all actions that have its input.
   */
  readonly declarations: readonly Input[]
}

/**
 * Checks values against the declared rules. `charge` counts the work, in characters that are read.
 * @throws TemplateError that names the first parameter that breaks a rule, never its value
 */
export function checkDeclared(
  declarations: readonly Input[],
  parameters: ReadonlyMap<string, string>,
  charge: (work: number) => void,
): void {
  for (const declared of declarations) {
    const { name, type, options, minlength, maxlength } = declared
    const value = parameters.get(name) ?? ''
    // The listed default is not checked. Clients send it unchanged, and it may break the author's own rules.
    if (value === '' || value === declared.default) continue
    const rules = {
      type,
      options,
      minLength: declaredLength(minlength),
      maxLength: declaredLength(maxlength),
    }
    charge(ruleWork(rules, value))
    const broken = brokenRule(rules, value)
    if (broken !== undefined) throw new TemplateError('parameters', `parameter ${name} ${broken}`)
  }
}

function inputOf(pipeline: Pipeline): Input {
  const input = inputIn(pipeline, INPUT)
  if (input === undefined) throw new TemplateError('parse', 'inconsistent findings, findings=0, val=[]')
  return input
}

function inputIn(pipeline: Pipeline, root: RegExp): Input | undefined {
  const name = root.exec(`{{${nodeText(pipeline)}}}`)?.[1]
  if (name === undefined) return undefined
  const input: Mutable<Input> = { name, type: 'text', optional: false }
  for (const command of pipeline.commands) describe(input, command)
  return input
}

function describe(input: Mutable<Input>, command: CallNode): void {
  const [callee, ...args] = command.words
  if (callee.kind !== 'identifier') return
  const texts = args.map(literalText)
  const [text] = texts
  switch (callee.name) {
    case 'type':
      if (text !== undefined && TYPES.has(text)) input.type = text
      break
    case 'options':
      input.options = texts.filter((option) => option !== undefined)
      break
    case 'order':
      if (text !== undefined && /^[+-]?[0-9]{1,15}$/.test(text)) input.order = Number(text)
      break
    case 'default':
      input.optional = isWritten(args)
      setText(input, 'default', text)
      break
    case 'required':
      input.required = text ?? ''
      break
    case 'description':
    case 'placeholder':
    case 'pattern':
    case 'minlength':
    case 'maxlength':
    case 'asenv':
      setText(input, callee.name, text)
      break
  }
}

type TextName = 'description' | 'default' | 'placeholder' | 'pattern' | 'minlength' | 'maxlength' | 'asenv'

function setText(input: Mutable<Input>, name: TextName, text: string | undefined): void {
  if (text !== undefined) input[name] = text
}

function literalText(operand: Operand): string | undefined {
  return operand.kind === 'string' ? decodeText(operand.value) : undefined
}

/**
 * Returns whether a default is not empty. As in hoop, a variable or an empty raw string counts as not empty.
 */
function isWritten(args: readonly Operand[]): boolean {
  return args.some((operand) => sourceOf(operand).replaceAll('"', '') !== '')
}

function sourceOf(operand: Operand): ByteString {
  return operand.kind === 'pipeline' ? `(${nodeText(operand)})` : nodeText(operand)
}
