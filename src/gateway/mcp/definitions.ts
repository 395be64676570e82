import * as v from 'valibot'
import { printableText } from '../../basics/text/printable.ts'
import { reason } from '../../contract/reason.ts'
import type { Input } from '../../template/runbook.ts'
import type { McpEffect } from '../settings/mcp.ts'
import { isRequired, type RunbookTool } from './offer.ts'
import { isFields, type Fields } from './protocol.ts'

/** With more runbooks, the list has tools that find and run them: each turn of a model costs the whole list. */
export const MAX_LISTED_RUNBOOKS = 40
const MAX_FOUND = 10
const MAX_WHY_CHARACTERS = 500
const REQUEST_KEY = /^[A-Za-z0-9_.:-]{8,64}$/
const EFFECTS = ['read', 'change', 'destroy'] as const

const DONE: Readonly<Record<McpEffect, string>> = {
  read: 'Reads only.',
  change: 'Changes something.',
  destroy: 'May destroy something.',
}
const REST =
  'Waits up to 45 s; then call wait. Runs go on when the connection closes. If a person has to approve, the answer says so: tell the user, do not poll.'
const SESSION_ID = { type: 'string', description: 'session_id of an earlier answer' }

function annotations(effect: McpEffect): object {
  return {
    readOnlyHint: effect === 'read',
    destructiveHint: effect === 'destroy',
    idempotentHint: effect === 'read',
    openWorldHint: false,
  }
}

/** Tools that are always there. None approves, changes settings, makes tokens, reads secrets or opens a shell. */
const ALWAYS = {
  wait: {
    title: 'Wait for a run',
    description:
      'Waits up to 45 s for the end of a run. For a request that waits for approval it answers at once.',
    inputSchema: objectOf({ session_id: SESSION_ID }, ['session_id']),
    annotations: annotations('read'),
  },
  stop: {
    title: 'Stop a run',
    description: 'Ends a run of yours, or withdraws its request for approval.',
    inputSchema: objectOf({ session_id: SESSION_ID }, ['session_id']),
    annotations: annotations('change'),
  },
  runs: {
    title: 'List your runs',
    description: 'Lists your last 20 runs.',
    inputSchema: objectOf({}),
    annotations: annotations('read'),
  },
  read_output: {
    title: 'Read the output of a run',
    description: 'Reads 24 KiB of the output of a run.',
    inputSchema: objectOf(
      {
        session_id: SESSION_ID,
        from: {
          type: 'integer',
          description: 'byte to begin with (default: 0); a negative number counts from the end',
        },
      },
      ['session_id'],
    ),
    annotations: annotations('read'),
  },
} as const

const FIND = {
  title: 'Find a runbook',
  description: 'Finds runbooks by words of their title, description and path, with the arguments of each.',
  inputSchema: objectOf({ words: { type: 'string', description: 'words, in any order' } }, ['words']),
  annotations: annotations('read'),
}

export type FixedTool = keyof typeof ALWAYS | 'find_runbook'

export function isFixedTool(name: string): name is FixedTool {
  return Object.hasOwn(ALWAYS, name) || name === 'find_runbook'
}

function objectOf(properties: object, required: readonly string[] = []): object {
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  }
}

/** The list of tools, sorted by name. */
export function definitionsOf(tools: readonly RunbookTool[]): object[] {
  const runbooks =
    tools.length <= MAX_LISTED_RUNBOOKS
      ? tools.map(definitionOf)
      : [{ name: 'find_runbook', ...FIND }, ...EFFECTS.map((effect) => runnerOf(effect))]
  const always = Object.entries(ALWAYS).map(([name, tool]) => ({ name, ...tool }))
  return [...always, ...runbooks].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function definitionOf(tool: RunbookTool) {
  const { name, title, description, effect } = tool
  const told = [description, DONE[effect], REST].filter((part) => part !== '').join('\n')
  return { name, title, description: told, inputSchema: schemaOf(tool), annotations: annotations(effect) }
}

function schemaOf({ effect, inputs, connections }: RunbookTool): object {
  const parameters = objectOf(
    Object.fromEntries(inputs.map((input) => [input.name, parameterOf(input)])),
    inputs.filter(isRequired).map(({ name }) => name),
  )
  const needed = inputs.some(isRequired) ? ['parameters'] : []
  return runSchema(
    effect,
    { connection: { type: 'string', enum: connections }, ...(inputs.length > 0 && { parameters }) },
    ['connection', ...needed],
  )
}

/** Runs any runbook of one effect, for lists that would be too long. */
function runnerOf(effect: McpEffect) {
  return {
    name: `run_${effect}`,
    title: `Run a runbook: ${effect}`,
    description: `Runs a runbook that find_runbook has found with the effect ${effect}. ${DONE[effect]} ${REST}`,
    inputSchema: runSchema(
      effect,
      {
        runbook: { type: 'string', description: 'name that find_runbook answers' },
        connection: { type: 'string', description: 'one of the connections of the runbook' },
        parameters: { type: 'object', additionalProperties: true },
      },
      ['runbook', 'connection'],
    ),
    annotations: annotations(effect),
  }
}

function runSchema(effect: McpEffect, properties: object, required: readonly string[]): object {
  const dry_run = {
    type: 'boolean',
    description: 'true: run nothing, show the script and the allowed values',
  }
  const why = {
    type: 'string',
    description: `why, in one line of at most ${MAX_WHY_CHARACTERS} characters; approvers read it, marked as written by a machine`,
  }
  if (effect === 'read') return objectOf({ ...properties, dry_run, why }, required)
  const request_key = {
    type: 'string',
    description:
      'your own name for this one request, 8 to 64 letters, digits, _ . : -; the same key never runs twice; repeat it after an error, choose a new one for a new run',
  }
  return objectOf({ ...properties, dry_run, request_key, why }, [...required, 'request_key', 'why'])
}

function parameterOf({
  type,
  description,
  default: byDefault,
  options,
  optionsFrom,
  pattern,
}: Input): object {
  const told = [
    description,
    byDefault && `default: ${byDefault}`,
    pattern && `form: ${pattern}`,
    optionsFrom && 'dry_run shows the allowed values',
  ].filter((part) => part)
  return {
    type: type === 'number' ? 'number' : 'string',
    ...(told.length > 0 && { description: printableText(told.join('; ')) }),
    ...(options !== undefined && options.length > 0 && type !== 'number' && { enum: options }),
  }
}

/** The arguments are wrong, in a way that the model can correct. */
export class ArgumentsWrong extends Error {}

export interface RunArguments {
  readonly connection: string
  readonly parameters: Readonly<Record<string, string>>
  readonly dryRun: boolean
  readonly requestKey: string | undefined
  readonly why: string
}

/** @param more names of further arguments @throws ArgumentsWrong */
export function readRunArguments(
  tool: RunbookTool,
  given: Fields,
  more: readonly string[] = [],
): RunArguments {
  const { effect, connections } = tool
  checkNames(given, ['connection', 'parameters', 'dry_run', 'request_key', 'why', ...more])
  const { connection, dry_run: dryRun = false } = given
  if (typeof connection !== 'string' || !connections.includes(connection))
    throw new ArgumentsWrong(`connection: must be one of ${connections.join(', ')}`)
  if (typeof dryRun !== 'boolean') throw new ArgumentsWrong('dry_run: must be true or false')
  const isKeyNeeded = effect !== 'read' && !dryRun
  return {
    ...{ connection, dryRun, parameters: parametersOf(tool, given['parameters'] ?? {}) },
    requestKey: keyOf(given['request_key'], isKeyNeeded),
    why: whyOf(given['why'], isKeyNeeded),
  }
}

/** @throws ArgumentsWrong */
export function checkNames(given: Fields, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new ArgumentsWrong(
      `${unknown.slice(0, 100)}: no such argument; there are ${known.join(', ') || 'none'}`,
    )
}

function parametersOf({ inputs }: RunbookTool, given: unknown): Record<string, string> {
  if (!isFields(given)) throw new ArgumentsWrong('parameters: must be an object')
  const names = inputs.map(({ name }) => name)
  const parameters = Object.entries(given).map(([name, value]) => {
    if (!names.includes(name))
      throw new ArgumentsWrong(
        `parameters.${name.slice(0, 100)}: no such parameter; there are ${names.join(', ') || 'none'}`,
      )
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw new ArgumentsWrong(`parameters.${name}: must be a text or a number`)
    return [name, String(value)] as const
  })
  return Object.fromEntries(parameters)
}

function keyOf(given: unknown, isNeeded: boolean): string | undefined {
  if (given === undefined && !isNeeded) return undefined
  if (typeof given === 'string' && REQUEST_KEY.test(given)) return given
  throw new ArgumentsWrong('request_key: must be 8 to 64 letters, digits, _ . : -')
}

function whyOf(given: unknown, isNeeded: boolean): string {
  const read = v.safeParse(reason, given ?? '')
  if (read.success && read.output.length <= MAX_WHY_CHARACTERS && !(isNeeded && read.output === ''))
    return read.output
  throw new ArgumentsWrong(
    `why: must be one line of 1 to ${MAX_WHY_CHARACTERS} characters without control characters`,
  )
}

/** Lists runbooks that have the most of these words first. */
export function foundRunbooks(tools: readonly RunbookTool[], given: Fields): object[] {
  checkNames(given, ['words'])
  const { words } = given
  if (typeof words !== 'string' || words.length > MAX_WHY_CHARACTERS)
    throw new ArgumentsWrong(`words: must be a text of at most ${MAX_WHY_CHARACTERS} characters`)
  const wanted = [...new Set(words.toLowerCase().split(/[^\p{L}\p{N}]+/u))].filter((word) => word !== '')
  const scored = tools.map((tool) => {
    const text = `${tool.title} ${tool.path} ${tool.description}`.toLowerCase()
    const whole = new Set(text.split(/[^\p{L}\p{N}]+/u))
    const scores = wanted.map((word) => (whole.has(word) ? 2 : text.includes(word) ? 1 : 0))
    return { tool, score: scores.reduce<number>((sum, one) => sum + one, 0) }
  })
  return scored
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, MAX_FOUND)
    .map(({ tool }) => ({
      ...{
        runbook: tool.name,
        title: tool.title,
        run_with: `run_${tool.effect}`,
        description: tool.description,
      },
      arguments: schemaOf(tool),
    }))
}
