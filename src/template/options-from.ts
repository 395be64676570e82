import { TemplateError } from '../golang/template/errors.ts'
import type { Input, OptionsFrom } from './inputs.ts'
import type { Defaults } from './defaults.ts'

/** A value that has to be in a list when the runbook runs. */
export interface ChosenValue extends OptionsFrom {
  readonly parameter: string
  readonly value: string
  /** Value of the parameter `of`; empty without `of`. */
  readonly ofValue: string
}

/** A list that a comment declares. */
export interface DeclaredList extends OptionsFrom {
  readonly parameter: string
  /** Line of the comment, from 1. */
  readonly line: number
}

/**
 * Matches each comment of a template, as Go's lexer finds them. The text of a comment does not contain the
 * beginning of another one, so no text before a comment can hide the comment.
 */
const COMMENT = /\{\{(?:-[ \t\r\n])?\/\*((?:(?!\*\/|\{\{(?:-[ \t\r\n])?\/\*)[^])*)\*\/(?:[ \t\r\n]-)?\}\}/g
const WORD = 'options-from'
/** Matches where such a comment seems to begin. If no comment of `COMMENT` begins there, its list would have no effect. */
const BEGINNING = /\{\{(?:-[ \t\r\n])?\/\*\s*options-from\b/gi
/** A gateway reads at most this many lists at once for a user. */
export const MAX_LISTS = 20
const FORM = `{{/* ${WORD} NAME PATH */}} or {{/* ${WORD} NAME PATH of OTHER */}}`

/**
 * Returns the lists that comments like `{{/* options-from tenant lists/tenants.runbook.sql of region *\/}}`
 * declare. Such a comment is not an action, so hoop ignores the comment and runs the same file. A comment like
 * `options-from: tenant` is refused: if it had no effect, the runbook would run with any value.
 * @throws TemplateError, stage `parse`
 */
export function declaredLists(source: string): readonly DeclaredList[] {
  const comments = [...source.matchAll(COMMENT)]
  const begun = new Set(comments.map(({ index }) => index))
  if ([...source.matchAll(BEGINNING)].some(({ index }) => !begun.has(index)))
    throw wrong(`a comment has no end of its own; write ${FORM}`)
  return comments.flatMap(({ 1: text = '', index }) => {
    const [word, parameter = '', list = '', of, other, ...more] = text.trim().split(/\s+/)
    if (!/^options-from\b/i.test(word ?? '')) return []
    const isWhole = of === undefined || (of === 'of' && isName(other))
    if (word !== WORD || !isName(parameter) || list === '' || !isWhole || more.length > 0)
      throw wrong(`write ${FORM}`)
    if (!isPath(list)) throw wrong(`${list}: write the path of the list from the root of the repository`)
    const line = source.slice(0, index).split('\n').length
    return [{ parameter, list, line, of: other }]
  })
}

function isName(text: string | undefined): boolean {
  return text !== undefined && /^[a-zA-Z0-9_]+$/.test(text)
}

function isPath(text: string): boolean {
  return !text.includes('\\') && text.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

function wrong(reason: string): TemplateError {
  return new TemplateError('parse', `${WORD}: ${reason}`)
}

const SECRET_TYPES: ReadonlySet<string> = new Set(['password', 'file'])

/**
 * Adds the lists to the parameters of a template.
 * @throws TemplateError, stage `parse`, for a list that could not be enforced
 */
export function withLists(lists: readonly DeclaredList[], ...groups: (readonly Input[])[]): Input[][] {
  const inputs = new Map(groups.flat().map((input) => [input.name, input]))
  const byParameter = new Map(lists.map((one) => [one.parameter, one]))
  for (const { parameter, of } of lists) {
    const input = inputs.get(parameter)
    if (input === undefined) throw wrong(`the runbook has no parameter ${parameter}`)
    if (of !== undefined && !inputs.has(of)) throw wrong(`the runbook has no parameter ${of}`)
    if (SECRET_TYPES.has(input.type))
      throw wrong(`parameter ${parameter} is a ${input.type}, whose values must not be in a list`)
    if (dependsOn(byParameter, parameter))
      throw wrong(`the values of parameter ${parameter} depend on themselves`)
  }
  if (byParameter.size < lists.length) throw wrong('a parameter has two lists')
  const paths = new Set(lists.map(({ list }) => list)).size
  if (paths > MAX_LISTS)
    throw wrong(`a runbook can have at most ${MAX_LISTS} lists, and this one has ${paths}`)
  return groups.map((group) =>
    group.map((input) => {
      const { list, of } = byParameter.get(input.name) ?? {}
      return list === undefined ? input : { ...input, optionsFrom: { list, of } }
    }),
  )
}

function dependsOn(lists: ReadonlyMap<string, DeclaredList>, parameter: string): boolean {
  const seen = new Set<string>()
  for (let at = lists.get(parameter)?.of; at !== undefined && !seen.has(at); at = lists.get(at)?.of) {
    if (at === parameter) return true
    seen.add(at)
  }
  return false
}

/**
 * Returns the values that have to be in lists. An empty value stands for the default. Without a default,
 * nothing is chosen.
 */
export function chosenValues(
  inputs: readonly Input[],
  defaults: Defaults,
  parameters: ReadonlyMap<string, string>,
): readonly ChosenValue[] {
  const valueOf = (name: string) => {
    const value = parameters.get(name) ?? ''
    return value === '' ? (defaults.get(name) ?? '') : value
  }
  return inputs.flatMap(({ name: parameter, optionsFrom }) => {
    const value = valueOf(parameter)
    if (optionsFrom === undefined || value === '') return []
    const { of } = optionsFrom
    return [{ ...optionsFrom, parameter, value, ofValue: of === undefined ? '' : valueOf(of) }]
  })
}
