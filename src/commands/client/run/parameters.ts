import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine, printableText } from '../../../basics/text/printable.ts'
import type { Runbook, Parameter } from '../../../client/rest/runbooks.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { MAX_FILE_BYTES, readGivenText, readPairs, readStandardInput } from '../input.ts'
import { describeParameter } from '../report/words.ts'
import { canAsk } from '../terminal/prompts.ts'
import type { OfferChoices } from './offered-choices.ts'

export interface ParameterFlags {
  /** Each value has the form `name=value`. */
  readonly param?: readonly string[]
  readonly paramFile?: string
  readonly defaults?: boolean
  /** Whether values may be missing: a dry run shows the script with placeholders. */
  readonly mayMiss?: boolean
}

/**
 * Reads a file of YAML or JSON, for passwords that must not be on the command line. `-` is stdin.
 * @throws Failure, exit code 64
 */
async function readParameterFile(file: string): Promise<Map<string, string>> {
  const text =
    file === '-'
      ? await readStandardInput(MAX_FILE_BYTES, '--param-file')
      : readGivenText(file, MAX_FILE_BYTES, `--param-file ${file}`)
  const map = await parseMap(text)
  if (map !== undefined) return map
  throw new Failure(
    `--param-file ${file}: the file must be a map of names to texts, in YAML or JSON (name: value)`,
    exitCodes.usage,
  )
}

async function parseMap(text: string): Promise<Map<string, string> | undefined> {
  // yaml is loaded only here, because most commands have no parameter file.
  const { parse } = await import('yaml')
  try {
    // "failsafe" reads every value as text, also 007 and no.
    const value: unknown = parse(text, { schema: 'failsafe', maxAliasCount: 0 })
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    const entries = Object.entries(value as Record<string, unknown>)
    return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
      ? new Map(entries)
      : undefined
  } catch {
    // The parser's message would quote the file, which may have secrets.
    return undefined
  }
}

/**
 * Returns the values of the file and of `-p`. A value of `-p` replaces the file's value for the same name.
 * @throws Failure
 */
export async function givenParameters({
  param = [],
  paramFile,
}: ParameterFlags): Promise<Map<string, string>> {
  const fromFile = paramFile === undefined ? [] : await readParameterFile(paramFile)
  return new Map([...fromFile, ...readPairs(param, '-p')])
}

/** The recorded values of an earlier run. */
export interface EarlierValues {
  /** Id of the session. */
  readonly id: string
  readonly values: Values
  /** Names of the secret values, which are not recorded. */
  readonly unrecorded: readonly string[]
}

/**
 * Adds the values of an earlier run to the given ones. A default never replaces a secret value of that run.
 * @throws Failure for a secret value that the user can neither give nor be asked for
 */
export function withEarlier(
  given: Map<string, string>,
  { defaults = false }: ParameterFlags,
  earlier: EarlierValues | undefined,
): Map<string, string> {
  if (earlier === undefined) return given
  const missing = earlier.unrecorded.filter((name) => !given.has(name))
  if (missing.length > 0 && (defaults || !canAsk()))
    throw new Failure(
      oneLine(
        `values of session ${earlier.id} are not recorded, so give them again: ${missing.map((name) => `-p ${name}=...`).join(', ')}`,
      ),
      exitCodes.usage,
    )
  return new Map([...earlier.values, ...given])
}

/**
 * Asks the user for missing parameters.
 * @param offer undefined without a gateway, which reads the lists of values
 * @throws Failure if the user cannot be asked
 */
export async function completeParameters(
  runbook: Runbook,
  given: Values,
  { defaults = false, mayMiss = false, param }: ParameterFlags,
  offer?: OfferChoices,
): Promise<Values> {
  const values = withFiles(runbook, given, param)
  for (const name of checkGiven(runbook, values)) sayUncertain(runbook, name)
  const wanted = missing(runbook, values)
  if (canAsk() && (wanted.length > 0 || !defaults)) {
    const { askForParameters } = await import('./ask.ts')
    return withNeededDefaults(
      runbook,
      await askForParameters(runbook, values, { takesDefaults: defaults, offer }),
    )
  }
  if (wanted.length > 0 && !mayMiss) throw missingFailure(runbook, wanted)
  return withNeededDefaults(runbook, values)
}

/**
 * For parameters of type `file`, `-p name=@path` gives the text of a file, and `@@` stands for an `@`. For
 * other types `@` is a plain character, because a password may begin with it.
 * @throws Failure for a file that cannot be read or is not text
 */
export function withFiles({ parameters }: Runbook, given: Values, param: readonly string[] = []): Values {
  const values = new Map(given)
  for (const [name, value] of readPairs(param, '-p')) {
    const isFile = parameters.some((one) => one.name === name && one.type === 'file')
    if (isFile && value.startsWith('@')) values.set(name, contentOf(name, value.slice(1)))
  }
  return values
}

function contentOf(name: string, path: string): string {
  return path.startsWith('@') ? path : readGivenText(path, MAX_FILE_BYTES, `-p ${name}: the file ${path}`)
}

function sayUncertain(runbook: Runbook, name: string): void {
  process.stderr.write(
    `runbook-agent: ${oneLine(`${runbook.name} declares no parameter ${name}: the value is sent, but may have no effect`)}\n`,
  )
}

type Values = ReadonlyMap<string, string>

/**
 * Refuses unknown names, and values that are not among the options. The list of hoop's gateway lacks names
 * that only a block uses. So an unknown name is sent to hoop's gateway, unless it is similar to a declared
 * name.
 * @returns the names of which it is unknown whether the runbook uses them
 * @throws Failure, exit code 64
 */
function checkGiven(runbook: Runbook, given: Values): readonly string[] {
  const { parameters, inBlocks } = runbook
  const uncertain: string[] = []
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  for (const [name, value] of given) {
    const parameter = known.get(name)
    if (parameter === undefined) {
      if (inBlocks?.includes(name) === true) continue
      const names = [...known.keys(), ...(inBlocks ?? [])]
      if (inBlocks !== undefined || didYouMean(name, names) !== undefined)
        throw unknownName(name, names, runbook.name)
      uncertain.push(name)
      continue
    }
    const problem = problemOf(parameter, value)
    if (problem !== undefined) throw new Failure(`parameter ${name}: ${problem}`, exitCodes.usage)
  }
  return uncertain
}

/**
 * Adds defaults of parameters that are required or have a pattern. A template that checks such a parameter
 * before it sets the default would refuse an empty value.
 */
function withNeededDefaults({ parameters }: Runbook, values: Values): Values {
  const needed = parameters.filter(
    ({ name, default: proposed, required, pattern }) =>
      !values.has(name) && proposed !== undefined && (required || pattern !== undefined),
  )
  return new Map([...values, ...needed.map(({ name, default: proposed = '' }) => [name, proposed] as const)])
}

function unknownName(name: string, known: readonly string[], runbook: string): Failure {
  const hint =
    didYouMean(name, known) ??
    (known.length === 0 ? 'the runbook has no parameters' : `the runbook has ${known.join(', ')}`)
  return new Failure(`${runbook} has no parameter ${name}: ${hint}`, exitCodes.usage)
}

function problemOf({ required, options }: Parameter, value: string): string | undefined {
  if (value === '') return required ? 'the value may not be empty' : undefined
  if (options.length === 0 || options.includes(value)) return undefined
  const meant = didYouMean(value, options)
  return printableText(
    `the value must be one of ${options.join(', ')}${meant === undefined ? '' : `; ${meant}`}`,
  )
}

function missing({ parameters }: Runbook, given: Values): readonly Parameter[] {
  return parameters.filter(({ name, default: proposed }) => proposed === undefined && !given.has(name))
}

function missingFailure({ name }: Runbook, parameters: readonly Parameter[]): Failure {
  const width = Math.max(...parameters.map((parameter) => parameter.name.length))
  const lines = parameters.map(
    (parameter) => `  ${parameter.name.padEnd(width)}  ${describeParameter(parameter)}`,
  )
  const heading = parameters.length === 1 ? 'missing parameter' : 'missing parameters'
  return new Failure(
    printableText(
      [
        `${heading} of ${name}:`,
        ...lines,
        'Add the values with -p name=value, with --param-file, or on a terminal',
      ].join('\n'),
    ),
    exitCodes.usage,
  )
}
