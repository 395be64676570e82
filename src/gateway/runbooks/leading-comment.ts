export interface About {
  readonly title?: string
  readonly description?: string
}

/**
 * Only this much of a file is searched for its comment, because the comment of a generated file may be very
 * long.
 */
const MAX_SOURCE_CHARACTERS = 16 * 1024
const MAX_TITLE_CHARACTERS = 120
/** Descriptions are cut, because each browser loads a list with up to 10,000 runbooks completely. */
const MAX_DESCRIPTION_CHARACTERS = 1_000

const LINE_COMMENT = /^\s*(?:#|--|\/\/)/
const LINE_MARKER = /^\s*(?:#+!?|--+|\/\/+)/
const BLOCK_BEGIN = /^\s*\/\*+!?/
/** Lines for tools, and lines that only draw a rule. Both patterns match trimmed lines. */
const FOR_TOOLS =
  /^(?:-\*-.*-\*-$|vim?:|ex:|(?:shellcheck|pylint|yamllint|sqlfluff|eslint|prettier|noqa|type)[: -]|SPDX-\S+:)/i
const RULE = /^[#*=/~_+-]*$/
/** Placeholder for an action until its line is read. */
const ACTION = '\0'

// Every committer can choose this input, so no pattern may backtrack again and again.

/**
 * Reads the comment at the beginning of a file, after the shebang. The first line of the comment is the
 * title. Actions are left out, because their values are not known yet.
 */
export function leadingComment(source: string): About {
  const lines = commentLines(withoutActions(source.slice(0, MAX_SOURCE_CHARACTERS).replace(/^\ufeff/, '')))
  const told = lines
    .map((line) => (RULE.test(line.trim()) ? '' : line))
    .filter((line) => !FOR_TOOLS.test(line.trim()))
  const at = told.findIndex((line) => line !== '')
  const title = told[at]?.trim()
  if (title === undefined) return {}
  const description = unindented(told.slice(at + 1))
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+/, '')
    .trimEnd()
  return {
    title: cut(title, MAX_TITLE_CHARACTERS),
    ...(description !== '' && { description: cut(description, MAX_DESCRIPTION_CHARACTERS) }),
  }
}

/** Removes the actions. A line that has only actions is removed completely. */
function withoutActions(source: string): string {
  return source
    .replaceAll(ACTION, ' ')
    .replace(/\{\{(?:(?!\}\})[^])*(?:\}\}|$)/g, ACTION)
    .split('\n')
    .map((line) => line.split(ACTION))
    .filter((pieces) => pieces.length === 1 || pieces.some((piece) => piece.trim() !== ''))
    .map((pieces) => pieces.map((piece, at) => (at < pieces.length - 1 ? piece.trimEnd() : piece)).join(''))
    .join('\n')
}

function commentLines(source: string): string[] {
  const all = source.split(/\r?\n/)
  const start = all[0]?.startsWith('#!') === true ? 1 : 0
  const first = all.findIndex((line, at) => at >= start && line.trim() !== '')
  const lines = first === -1 ? [] : all.slice(first)
  const [begin] = BLOCK_BEGIN.exec(lines[0] ?? '') ?? []
  if (begin !== undefined) return blockLines(lines.join('\n'), begin)
  const end = lines.findIndex((line) => !LINE_COMMENT.test(line))
  return lines.slice(0, end === -1 ? undefined : end).map((line) => line.replace(LINE_MARKER, '').trimEnd())
}

function blockLines(source: string, begin: string): string[] {
  const found = source.indexOf('*/', begin.indexOf('*') + 1)
  let end = found === -1 ? source.length : found
  while (source[end - 1] === '*') end -= 1
  const text = source.slice(begin.length, Math.max(begin.length, end))
  return text.split('\n').map((line) => line.replace(/^\s*\*(?!\*)/, '').trimEnd())
}

/** Removes the common indentation. Lists and examples keep their own indentation. */
function unindented(lines: readonly string[]): string[] {
  const depths = lines.filter((line) => line !== '').map((line) => line.length - line.trimStart().length)
  const depth = depths.length === 0 ? 0 : Math.min(...depths)
  return lines.map((line) => line.slice(depth))
}

/** Shortens a text, but never cuts inside a surrogate pair. */
function cut(text: string, most: number): string {
  const characters = Array.from(text.replace(/[^\P{Cc}\n]/gu, ' '))
  return characters.length <= most
    ? characters.join('')
    : `${characters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`
}
