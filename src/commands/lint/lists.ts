import path from 'node:path'
import { FileRefused } from '../../basics/files/small-file.ts'
import { declaredLists, type DeclaredList } from '../../template/options-from.ts'
import { parseTemplate, TemplateError } from '../../template/runbook.ts'

/** @returns the connections on which a run of the list needs approval, of those that may run the runbook */
export type FindApprovals = (runbook: string, list: string) => readonly string[]

export interface ListFinding {
  readonly line: number
  readonly problem: string
  readonly parameter: string
  readonly verdict: 'code' | 'not judged'
  readonly action: string
}

interface ListRules {
  readonly portable: boolean
  /** Undefined if no settings of a gateway were given. */
  readonly approvals: FindApprovals | undefined
  /** @throws FileRefused */
  readonly read: (file: string) => string
}

interface ListedFile {
  /** Root of the repository. */
  readonly root: string
  /** Path of the file from there. */
  readonly own: string
  readonly text: string
}

/**
 * Checks the lists of values that a runbook names.
 * @throws TemplateError if a comment cannot be read
 */
export function lintLists(
  { root, own, text }: ListedFile,
  { portable, approvals, read }: ListRules,
): ListFinding[] {
  const lists = declaredLists(text)
  if (lists.length === 0) return []
  // The names of the parameters are checked where the template is read.
  parseTemplate(text)
  return lists.flatMap((declared) => {
    const on = approvals?.(own, declared.list) ?? []
    const problems = [
      problemOf(path.join(root, declared.list), declared, read),
      on.length === 0
        ? undefined
        : `runs of ${declared.list} need approval on ${on.join(', ')}, and a list is read without people; exempt it: runbooks.review: [{path: ${declared.list}, groups: []}]`,
    ].filter((problem) => problem !== undefined)
    const common = { line: declared.line, parameter: declared.parameter, action: actionOf(declared) }
    return [
      ...problems.map((problem) => ({ ...common, problem, verdict: 'code' as const })),
      ...(portable ? [{ ...common, problem: UNCHECKED, verdict: 'not judged' as const }] : []),
    ]
  })
}

const UNCHECKED = 'hoop does not read this comment, and accepts any value of the parameter'

function actionOf({ parameter, list, of }: DeclaredList): string {
  return `options-from ${parameter} ${list}${of === undefined ? '' : ` of ${of}`}`
}

function problemOf(file: string, { list }: DeclaredList, read: ListRules['read']): string | undefined {
  try {
    const { inputs, inBlocks } = parseTemplate(read(file))
    return inputs.length + inBlocks.length === 0
      ? undefined
      : `the list ${list} has parameters, and a list must not have parameters`
  } catch (error) {
    if (error instanceof FileRefused) return `the list ${list} ${error.message}`
    if (error instanceof TemplateError) return `the list ${list}: ${error.message}`
    throw error
  }
}
