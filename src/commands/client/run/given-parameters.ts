import type { Runbook } from '../../../client/rest/runbooks.ts'
import { readPairs } from '../pairs.ts'
import { canAsk } from '../prompts.ts'
import { checkGiven, missing, missingFailure, type Values } from './parameters.ts'

export interface ParameterFlags {
  /** `name=value` each. */
  readonly param?: readonly string[]
  readonly paramFile?: string
  readonly defaults?: boolean
}

/** Loaded when there is one: it needs YAML. @throws Failure */
async function fromParameterFile(file: string): Promise<Map<string, string>> {
  return (await import('./parameter-file.ts')).readParameterFile(file)
}

/** An argument wins over the file. @throws Failure */
export async function givenParameters({
  param = [],
  paramFile,
}: ParameterFlags): Promise<Map<string, string>> {
  const fromFile = paramFile === undefined ? [] : await fromParameterFile(paramFile)
  return new Map([...fromFile, ...readPairs(param, '-p')])
}

/** Given parameters and the answers of a person. @throws Failure when some are missing and nobody can be asked */
export async function completeParameters(
  runbook: Runbook,
  given: Values,
  { defaults = false }: Pick<ParameterFlags, 'defaults'>,
): Promise<Values> {
  checkGiven(runbook, given)
  const wanted = missing(runbook, given)
  if (canAsk() && (wanted.length > 0 || !defaults)) {
    const { askForParameters } = await import('./ask.ts')
    return askForParameters(runbook, given, defaults)
  }
  if (wanted.length > 0) throw missingFailure(runbook, wanted)
  return given
}
