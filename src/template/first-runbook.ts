import { TemplateError } from '../golang/template/errors.ts'
import { Lexer } from '../golang/template/syntax/lexer.ts'
import { decodeText, type ByteString } from '../golang/text/byte-string.ts'

/** What the comment `first: PATH` of a runbook says: another runbook runs before it, as its dry run. */
export interface FirstRunbook {
  /** Path of the file, from the root of the repository. */
  readonly path: string
  /** Line of the comment. The first line is 1. */
  readonly line: number
}

const FIRST = /^\s*first\s*:\s*([^]*?)\s*$/i
/** Matches such a comment inside another one, whose author has forgotten its end: it would have no effect. */
const INSIDE = /\{\{(?:-[ \t\r\n])?\/\*\s*first\s*:/i

/**
 * Finds the comment that names the first runbook. It counts anywhere in the file: if a misplaced comment had no
 * effect, the runbook would run without its dry run.
 * @throws TemplateError, stage `parse`
 */
export function firstRunbook(source: ByteString): FirstRunbook | undefined {
  // A list reads 10,000 runbooks, and most have no comment.
  if (!source.includes('/*')) return undefined
  const lexer = new Lexer(source)
  while (lexer.next().kind !== 'eof');
  const found = lexer.comments.flatMap(({ text, at }) => {
    const path = FIRST.exec(decodeText(text))?.[1]
    return path === undefined ? [] : [{ path, line: lineOf(source, at) }]
  })
  const hiding = lexer.comments.find(({ text }) => INSIDE.test(text))
  if (hiding !== undefined)
    throw refused(lineOf(source, hiding.at), 'first: is inside another comment; end that comment before it')
  const [first, second] = found
  if (second !== undefined) throw refused(second.line, 'a runbook can name only one first runbook')
  if (first !== undefined && !isPath(first.path))
    throw refused(
      first.line,
      'first: needs the path of a runbook, from the root of the repository, like first: ops/delete.dry.runbook.sh',
    )
  return first
}

function lineOf(source: ByteString, at: number): number {
  return source.slice(0, at).split('\n').length
}

function isPath(path: string): boolean {
  return (
    !/\p{Cc}/u.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  )
}

function refused(line: number, problem: string): TemplateError {
  return new TemplateError('parse', `template: :${line}: ${problem}`)
}
