import { readGivenText, refusing, readFiles, readVariables } from '../input.ts'
import path from 'node:path'
import { oneLine } from '../../../basics/text/printable.ts'
import {
  parseTemplate,
  TemplateError,
  type RenderedTemplate,
  type Template,
  type Input,
} from '../../../template/runbook.ts'
import { exitCodes } from '../../exit-codes.ts'
import { ByteOutput } from '../terminal/output.ts'
import type { NoticeFlags } from '../report/notices.ts'
import { completeParameters, givenParameters, type ParameterFlags } from '../run/parameters.ts'
import type { RunArguments } from '../run/run.ts'
import { executeHere, type FindConnection, localConnection } from './execution.ts'
import type { Parameter } from '../../../client/rest/runbooks.ts'
import { declaredLength } from '../../../template/rules.ts'

/** Bytes. The gateway has the same limit. */
const MAX_FILE_BYTES = 1_000_000

export interface RunLocalFlags extends ParameterFlags, NoticeFlags {
  /** Each value has the form `NAME=value`. */
  readonly env?: readonly string[]
  /** Each value has the form `NAME=path`. */
  readonly file?: readonly string[]
  readonly config?: string
  /** Prints the rendered script and does not run it. */
  readonly dryRun?: boolean
}

/** Runs a runbook file of this machine (`run --local`). @throws Failure */
export async function runLocal(
  { connection, file, clientArgs }: RunArguments,
  flags: RunLocalFlags,
  find: FindConnection,
): Promise<number> {
  const template = readTemplate(file)
  const rendered = await render(file, template, flags)
  const script = Buffer.from(rendered.bytes)
  if (flags.dryRun === true) {
    await new ByteOutput(1).write(script)
    return exitCodes.done
  }
  if (template.first !== undefined && flags.quiet !== true)
    process.stderr.write(
      `runbook-agent: ${oneLine(file)} runs here without its first runbook, ${oneLine(template.first.path)}\n`,
    )
  const local = await localConnection(connection, clientArgs, flags.config, find)
  // A variable of the runbook replaces a variable of -e or -f with the same name.
  const envVars = new Map([
    ...readVariables(flags.env ?? []),
    ...readFiles(flags.file ?? []),
    ...rendered.env,
  ])
  return executeHere({ ...local, script, envVars }, flags)
}

async function render(file: string, template: Template, flags: RunLocalFlags): Promise<RenderedTemplate> {
  const runbook = {
    name: path.basename(file),
    parameters: parametersOf(template.inputs),
    inBlocks: template.inBlocks.map(({ name }) => name),
    error: undefined,
    repository: undefined,
  }
  const parameters = await completeParameters(runbook, await givenParameters(flags), flags)
  sayUnchecked(template)
  return ofTemplate(file, () => template.render(parameters))
}

/** Only a gateway runs lists. */
function sayUnchecked({ inputs, inBlocks }: Template): void {
  for (const { name, optionsFrom } of [...inputs, ...inBlocks]) {
    if (optionsFrom === undefined) continue
    const text = `parameter ${name}: not checked against the list ${optionsFrom.list}, because run --local has no gateway`
    process.stderr.write(`runbook-agent: ${oneLine(text)}\n`)
  }
}

function readTemplate(file: string): Template {
  const text = readGivenText(file, MAX_FILE_BYTES)
  return ofTemplate(file, () => parseTemplate(text))
}

function ofTemplate<T>(file: string, made: () => T): T {
  return refusing(`${file}:`, made, TemplateError)
}

/** Returns the parameters in the order of the questions, in the form of a gateway's list. */
function parametersOf(inputs: readonly Input[]): Parameter[] {
  const order = ({ order = Infinity }: Input) => order
  return [...inputs].sort((a, b) => (order(a) === order(b) ? 0 : order(a) - order(b))).map(parameterOf)
}

function parameterOf(input: Input): Parameter {
  const { name, type, description = '', placeholder = '', options = [] } = input
  return {
    name,
    type,
    description,
    placeholder,
    options,
    ...(input.optionsFrom !== undefined && { optionsFrom: input.optionsFrom }),
    required: input.required !== undefined,
    default: undefinedIfEmpty(input.default),
    pattern: undefinedIfEmpty(input.pattern),
    minLength: declaredLength(input.minlength),
    maxLength: declaredLength(input.maxlength),
  }
}

function undefinedIfEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
