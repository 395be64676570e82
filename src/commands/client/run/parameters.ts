import { didYouMean } from '../../../basics/text/nearest.ts'
import { printableText } from '../../../basics/text/printable.ts'
import type { Parameter, Runbook } from '../../../client/rest/runbooks.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { describeParameter } from '../report/words.ts'

export type Values = ReadonlyMap<string, string>

/**
 * Refuses names that the runbook does not use, and values that it does not offer. The list of hoop's gateway lacks
 * names that only a block uses: there a name that is not like a declared one is sent.
 * @returns the names that the runbook may or may not use
 * @throws Failure, exit code 64
 */
export function checkGiven(runbook: Runbook, given: Values): readonly string[] {
  const { parameters, usedNames } = runbook
  const uncertain: string[] = []
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  for (const [name, value] of given) {
    const parameter = known.get(name)
    if (parameter === undefined) {
      if (usedNames?.includes(name) === true) continue
      const names = [...known.keys(), ...(usedNames ?? [])]
      if (usedNames !== undefined || didYouMean(name, names) !== undefined)
        throw unknownName(name, names, runbook.name)
      uncertain.push(name)
      continue
    }
    const problem = problemOf(parameter, value)
    if (problem !== undefined) throw new Failure(`parameter ${name}: ${problem}`, exitCodes.usage)
  }
  return uncertain
}

/** Adds the defaults that a template checks before it fills them in: it would refuse an empty value. */
export function withNeededDefaults({ parameters }: Runbook, values: Values): Values {
  const needed = parameters.filter(
    ({ name, default: proposed, required, pattern }) =>
      !values.has(name) && proposed !== undefined && (required || pattern !== undefined),
  )
  return new Map([...values, ...needed.map(({ name, default: proposed = '' }) => [name, proposed] as const)])
}

function unknownName(name: string, known: readonly string[], runbook: string): Failure {
  const hint = didYouMean(name, known) ?? `it has ${known.join(', ') || 'none'}`
  return new Failure(`${runbook} has no parameter ${name}: ${hint}`, exitCodes.usage)
}

function problemOf({ required, options }: Parameter, value: string): string | undefined {
  if (value === '') return required ? 'it may not be empty' : undefined
  if (options.length === 0 || options.includes(value)) return undefined
  const meant = didYouMean(value, options)
  return printableText(`it is one of ${options.join(', ')}${meant === undefined ? '' : `; ${meant}`}`)
}

/** Parameters that were not given and have no default. */
export function missing({ parameters }: Runbook, given: Values): readonly Parameter[] {
  return parameters.filter(({ name, default: proposed }) => proposed === undefined && !given.has(name))
}

/** The failure that describes the missing parameters. */
export function missingFailure({ name }: Runbook, parameters: readonly Parameter[]): Failure {
  const width = Math.max(...parameters.map((parameter) => parameter.name.length))
  const lines = parameters.map(
    (parameter) => `  ${parameter.name.padEnd(width)}  ${describeParameter(parameter)}`,
  )
  const count = parameters.length === 1 ? 'a parameter' : `${parameters.length} parameters`
  return new Failure(
    printableText(
      [
        `${name} needs ${count} more:`,
        ...lines,
        'Give them with -p name=value, in a file with --param-file, or on a terminal',
      ].join('\n'),
    ),
    exitCodes.usage,
  )
}
