import { oneLine } from '../../../basics/text/one-line.ts'
import type { Runbook } from '../../../client/rest/runbooks.ts'
import { readGivenText, LONGEST_FILE } from '../input/given-file.ts'
import { readPairs } from '../input/pairs.ts'
import { canAsk } from '../terminal/prompts.ts'
import { checkGiven, missing, missingFailure, withNeededDefaults, type Values } from './parameters.ts'

export interface ParameterFlags {
  /** `name=value` each. */
  readonly param?: readonly string[]
  readonly paramFile?: string
  readonly defaults?: boolean
}

/** Loads YAML only when there is a parameter file. @throws Failure */
async function fromParameterFile(file: string): Promise<Map<string, string>> {
  return (await import('./parameter-file.ts')).readParameterFile(file)
}

/** The given parameters; an argument wins over the file. @throws Failure */
export async function givenParameters({
  param = [],
  paramFile,
}: ParameterFlags): Promise<Map<string, string>> {
  const fromFile = paramFile === undefined ? [] : await fromParameterFile(paramFile)
  return new Map([...fromFile, ...readPairs(param, '-p')])
}

/**
 * The given parameters and the answers of a person.
 * @throws Failure when some are missing and no person can be asked
 */
export async function completeParameters(
  runbook: Runbook,
  given: Values,
  { defaults = false, param }: ParameterFlags,
): Promise<Values> {
  const values = withFiles(runbook, given, param)
  for (const name of checkGiven(runbook, values)) sayUncertain(runbook, name)
  const wanted = missing(runbook, values)
  if (canAsk() && (wanted.length > 0 || !defaults)) {
    const { askForParameters } = await import('./ask.ts')
    return withNeededDefaults(runbook, await askForParameters(runbook, values, defaults))
  }
  if (wanted.length > 0) throw missingFailure(runbook, wanted)
  return withNeededDefaults(runbook, values)
}

/**
 * For parameters of type `file`, `-p name=@path` is the text of that file, and `@@` stands for an `@`. In others, and
 * in a parameter file, an `@` is a plain character: passwords begin with one, too.
 * @throws Failure for a file that cannot be read, or is no text
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
  return path.startsWith('@') ? path : readGivenText(path, LONGEST_FILE, `-p ${name}: the file ${path}`)
}

function sayUncertain(runbook: Runbook, name: string): void {
  process.stderr.write(
    `runbook-agent: ${oneLine(`${runbook.name} declares no parameter ${name}: it is sent, and has an effect only if a block of the runbook uses it`)}\n`,
  )
}
