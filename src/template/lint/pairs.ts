import { TemplateError } from '../../golang/template/errors.ts'
import type { FirstRunbook } from '../first-runbook.ts'
import { parseTemplate, type Template } from '../runbook.ts'

interface PairProblem {
  readonly line: number
  readonly problem: string
}

/** Reads a file by its path from the root of the repository. Returns undefined if there is no such file. */
type ReadFile = (path: string) => string | undefined

/**
 * Finds the reasons why a runbook cannot run after the runbook that its comment `first: PATH` names.
 * @param own path of the runbook
 * @param portable also says that hoop's gateway ignores the comment
 * @throws TemplateError, stage `parse`
 */
export function pairProblems(
  own: string,
  source: string,
  read: ReadFile,
  portable: boolean,
): readonly PairProblem[] {
  const template = parseTemplate(source)
  const { first } = template
  if (first === undefined) return []
  const problem = problemOf(own, template, first, read)
  const ignored = `hoop's gateway ignores "first: ${first.path}": there, this runbook runs without its dry run`
  return [...(problem === undefined ? [] : [problem]), ...(portable ? [ignored] : [])].map((text) => ({
    line: first.line,
    problem: text,
  }))
}

function problemOf(
  own: string,
  { inputs, inBlocks }: Template,
  { path }: FirstRunbook,
  read: ReadFile,
): string | undefined {
  if (path === own) return 'first: names this runbook itself'
  const source = read(path)
  if (source === undefined)
    return `first: there is no file ${path}; the path begins at the root of the repository`
  try {
    const first = parseTemplate(source)
    if (first.first !== undefined) {
      const isCycle = first.first.path === own
      return isCycle
        ? `first: ${path} names this runbook as its first one, so neither can run`
        : `first: ${path} names a first runbook itself, ${first.first.path}; a pair has two runbooks`
    }
    const known = new Set([...inputs, ...inBlocks].map(({ name }) => name))
    const missing = first.inputs.filter(({ name, optional }) => !optional && !known.has(name))
    if (missing.length === 0) return undefined
    const names = missing.map(({ name }) => name).join(', ')
    return `first: ${path} needs parameters that this runbook does not have: ${names}`
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error
    return `first: ${path} cannot be read as a runbook: ${error.message}`
  }
}
