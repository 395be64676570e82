import { isSql, type Language } from './language.ts'
import type { Literal } from './literals.ts'

/** A value that becomes a parameter. */
export interface ParameterOf {
  readonly literal: Literal
  readonly name: string
  readonly description: string
}

export const PARAMETER_NAME = /^[A-Za-z_]\w{0,63}$/

/**
 * Returns the file of a runbook: the script, with parameters in the place of values. Each parameter has a form in
 * which its value stays data (docs/runbooks.md, "Parameters that stay data").
 */
export function runbookFile(
  script: string,
  { title, language, parameters }: { title: string; language: Language; parameters: readonly ParameterOf[] },
): string {
  const places = parameters
    .flatMap((parameter) => parameter.literal.places.map((at) => ({ at, parameter })))
    .toSorted((a, b) => a.at - b.at)
  const told = new Set<string>()
  let text = ''
  let end = 0
  for (const { at, parameter } of places) {
    const { literal, name } = parameter
    text += script.slice(end, at) + action(parameter, language, !told.has(name))
    told.add(name)
    end = at + literal.written.length
  }
  text += script.slice(end)
  const isThere = title.trim() === '' || title.trim() === titleIn(script)
  const comment = isThere ? '' : `${commentMark(language)} ${title.trim()}\n`
  const isShebang = text.startsWith('#!')
  const [first = '', ...others] = isShebang ? text.split('\n') : ['', text]
  return `${isShebang ? `${first}\n` : ''}${comment}${others.join('\n').replace(/\n*$/, '')}\n`
}

/** Returns the first line of the comment at the beginning of a script, which is the title of a runbook. */
export function titleIn(script: string): string {
  return /^(?:#![^\n]*\n)?\s*(?:--|#|\/\/)[ \t]*(\S[^\n]*)/.exec(script)?.[1]?.trim() ?? ''
}

/** Only the first place of a parameter describes it. */
function action({ literal, name, description }: ParameterOf, language: Language, isFirst: boolean): string {
  const parts = [
    `.${name}`,
    ...(isFirst && description.trim() !== '' ? [`description ${JSON.stringify(description.trim())}`] : []),
    ...(isFirst ? [`required ${JSON.stringify(`${name} is missing`)}`] : []),
    ...(literal.kind === 'number'
      ? [...(isFirst ? ['type "number"'] : []), 'pattern "^-?[0-9]+([.][0-9]+)?$"']
      : [isSql(language) ? 'sqlquote' : 'shellquote']),
  ]
  return `{{ ${parts.join(' | ')} }}`
}

function commentMark(language: Language): string {
  if (isSql(language)) return '--'
  return language === 'javascript' ? '//' : '#'
}

const ENDINGS: Readonly<Partial<Record<Language, string>>> = {
  shell: 'sh',
  python: 'py',
  javascript: 'js',
  ruby: 'rb',
  other: 'txt',
}

/** Returns a file name such as `orders-by-country.runbook.sql`. */
export function runbookFileName(title: string, language: Language): string {
  const base = title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60)
  return `${base === '' ? 'script' : base}.runbook.${ENDINGS[language] ?? 'sql'}`
}
