import { TemplateError } from '../golang/template/errors.ts'
import {
  type CallNode,
  type Operand,
  type Pipeline,
  pipelinesIn,
  type TemplateStatement,
} from '../golang/template/syntax/ast.ts'
import { decodeText } from '../golang/text/byte-string.ts'
import type { FirstRunbook } from './first-runbook.ts'
import { namesOfPipeline } from './parameter-names.ts'

/** Defaults that are not empty, by parameter. Undefined: the parameter has several, or one that is no plain text. */
export type Defaults = ReadonlyMap<string, string | undefined>

interface Found {
  readonly name: string
  readonly text: string | undefined
}

/**
 * Finds what the rendering takes for an empty value. Each action of a parameter has its own default, also inside
 * blocks, and `Input.default` is only the one that clients show.
 */
export function defaultsOf(statements: readonly TemplateStatement[]): Defaults {
  const defaults = new Map<string, string | undefined>()
  for (const { name, text } of pipelinesIn(statements).flatMap(inPipeline))
    if (text !== '') defaults.set(name, !defaults.has(name) || defaults.get(name) === text ? text : undefined)
  return defaults
}

function inPipeline({ commands }: Pipeline): Found[] {
  return commands.flatMap((command, at) => [
    ...ofCommand(command, commands.slice(0, at)),
    ...command.words.flatMap((word) => (word.kind === 'pipeline' ? inPipeline(word) : [])),
  ])
}

/** The value of `default` is its last argument: the result of the commands before, or its second word. */
function ofCommand({ words }: CallNode, before: readonly CallNode[]): Found[] {
  const [callee, fallback, ...values] = words
  if (callee.kind !== 'identifier' || callee.name !== 'default') return []
  const text = textOf(fallback)
  const commands = [
    ...before,
    ...values.map((word) => ({ kind: 'command', at: word.at, words: [word] }) as const),
  ]
  return namesOfPipeline({ commands }).map((name) => ({ name: decodeText(name), text }))
}

function textOf(operand: Operand | undefined): string | undefined {
  return operand?.kind === 'string' ? decodeText(operand.value) : undefined
}

/**
 * A list is asked about one default, and the first runbook of a pair gets one.
 * @throws TemplateError, stage `parse`
 */
export function checkOneDefault(
  defaults: Defaults,
  lists: readonly { readonly parameter: string; readonly of?: string | undefined }[],
  first: FirstRunbook | undefined,
): void {
  const listed = new Set(lists.flatMap(({ parameter, of }) => [parameter, of]))
  for (const [name, text] of defaults) {
    if (text !== undefined || (first === undefined && !listed.has(name))) continue
    const why = listed.has(name) ? 'a list of choices is asked about' : 'the first runbook of a pair gets'
    throw new TemplateError(
      'parse',
      `parameter ${name}: ${why} one default, so write the same plain text in each default of ${name}`,
    )
  }
}
