import { RE2JS } from 're2js'
import { printableLine, printableText } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { fetchJiraFields, type JiraField } from '../../../client/rest/connections.ts'
import type { Parameter, Runbook } from '../../../client/rest/runbooks.ts'
import { PATTERN_MISMATCH } from '../../../template/functions.ts'
import { brokenRule } from '../../../template/rules.ts'
import { MAX_FILE_BYTES, readGivenText, readPairs } from '../input.ts'
import { describeParameter } from '../report/words.ts'
import type { OfferChoices } from './offered-choices.ts'
import { askChoice, askText, askUnseen, canAsk } from '../terminal/prompts.ts'

interface Asking {
  /** Asks only for parameters without a default. */
  readonly takesDefaults: boolean
  readonly offer: OfferChoices | undefined
}

/**
 * Asks for missing parameters in the runbook's order, but for a parameter that chooses among the values of
 * another one before that one. Enter chooses the default.
 * @returns the given values and the answers
 * @throws Failure if the user cancels
 */
export async function askForParameters(
  { parameters }: Runbook,
  given: ReadonlyMap<string, string>,
  { takesDefaults, offer }: Asking,
): Promise<Map<string, string>> {
  const values = new Map(given)
  const answer = async (parameter: Parameter): Promise<void> => {
    const { name, default: proposed, optionsFrom } = parameter
    if (values.has(name) || (takesDefaults && proposed !== undefined)) return
    const before = parameters.find((one) => one.name === optionsFrom?.of)
    if (before !== undefined) await answer(before)
    const of = before === undefined ? undefined : valueOf(before, values)
    const offered = optionsFrom === undefined ? undefined : await offer?.(name, of)
    values.set(name, await ask(parameter, offered))
  }
  for (const parameter of parameters) await answer(parameter)
  return values
}

/** An empty value stands for the default. */
function valueOf({ name, default: proposed = '' }: Parameter, values: ReadonlyMap<string, string>): string {
  const given = values.get(name) ?? ''
  return given === '' ? proposed : given
}

type Offered = Awaited<ReturnType<OfferChoices>>

async function ask(parameter: Parameter, offered: Offered | undefined): Promise<string> {
  const { type, options, default: proposed, required } = parameter
  const message = questionOf(parameter)
  if (offered !== undefined) {
    const listed = listedChoices(offered, !required)
    if (listed !== undefined) return askChoice(message, listed, proposed)
    sayUnlisted(parameter, offered)
  }
  const check = (text: string) => checkValue(parameter, text === '' ? (proposed ?? '') : text)
  if (options.length > 0)
    return askChoice(message, choices(options, required || proposed !== undefined), proposed)
  if (type === 'password') return (await askUnseen(message, check)) || (proposed ?? '')
  if (type === 'file') return askForFile(message, required)
  if (proposed === undefined || printableText(proposed) === proposed) return askText(message, proposed, check)
  // The prompt would show control characters of the default unchanged, and the terminal would execute them.
  // So the question has the default in printable form.
  return (await askText(questionOf(parameter, proposed), undefined, check)) || proposed
}

/** Returns undefined if there is nothing to choose from. Then the user types the value, and the gateway checks it. */
function listedChoices(offered: Offered, mayBeNone: boolean): { name: string; value: string }[] | undefined {
  if ('problem' in offered || offered.length === 0) return undefined
  const listed = offered.map(({ value, label }) => ({
    name: printableLine(label === value ? value : `${label} (${value})`),
    value,
  }))
  return mayBeNone ? [...listed, { name: '(none)', value: '' }] : listed
}

function sayUnlisted({ name }: Parameter, offered: Offered): void {
  const reason = 'problem' in offered ? offered.problem : 'the list has no values'
  process.stderr.write(`runbook-agent: ${printableLine(`no choices for parameter ${name}: ${reason}`)}\n`)
}

/**
 * Returns, for example, `limit: of rows (number)`. The prompt itself shows the options and the default.
 * @param shown a default that the prompt cannot show itself
 */
function questionOf(parameter: Parameter, shown?: string): string {
  const { name, description, required, default: proposed } = parameter
  const isNeeded = required || proposed !== undefined
  const text = describeParameter({ ...parameter, default: shown, options: [], required: isNeeded })
  const separator = description === '' ? ' ' : ': '
  return printableLine(`${name}${text === '' ? '' : separator}${text}`)
}

async function askForFile(message: string, required: boolean): Promise<string> {
  const mayBeNone = (path: string) => path === '' && !required
  const check = (path: string) => (mayBeNone(path) ? true : isReadable(path))
  const path = await askText(`${message}, path of a file`, undefined, check)
  return mayBeNone(path) ? '' : readFileForVariable(path)
}

function choices(options: readonly string[], hasToBeOne: boolean): { name: string; value: string }[] {
  const given = options.map((value) => ({ name: printableText(value), value }))
  return hasToBeOne ? given : [...given, { name: '(none)', value: '' }]
}

function isReadable(path: string): true | string {
  try {
    readFileForVariable(path)
    return true
  } catch (error) {
    return (error as Error).message
  }
}

/** @throws Failure if the file is not text */
function readFileForVariable(path: string): string {
  return readGivenText(path, MAX_FILE_BYTES)
}

/**
 * On a terminal, asks for the missing fields. Otherwise the gateway refuses the execution and names them.
 * @param given texts of the form `FIELD=VALUE`
 * @throws Failure, ApiError
 */
export async function jiraFields(
  account: Account,
  connection: string,
  given: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const values = readPairs(given, '--jira')
  if (canAsk())
    for (const field of await fetchJiraFields(account, connection)) {
      if (values.has(field.jira_field)) continue
      const answer = await askField(field)
      if (answer !== '') values.set(field.jira_field, answer)
    }
  return Object.fromEntries(values)
}

function askField({ jira_field: id, label, description, required }: JiraField): Promise<string> {
  const about = [description, required ? '' : '(may be empty)'].filter(Boolean).join(' ')
  const message = printableLine(`Jira, ${label || id}${about === '' ? '' : `: ${about}`}`)
  return askText(message, undefined, (text) => text !== '' || !required || 'the value may not be empty')
}

/**
 * Returns `true`, or the problem of the value. The embedded gateway enforces the same rules. hoop's gateway
 * enforces only patterns.
 */
export function checkValue(parameter: Parameter, value: string): true | string {
  if (value === '') return parameter.required ? 'the value may not be empty' : true
  const broken = brokenRule(parameter, value)
  if (broken !== undefined) return printableText(`the value ${broken}`)
  return (
    matchesPattern(parameter, value) || printableText(`the value has to match ${parameter.pattern ?? ''}`)
  )
}

/** Whether a part of the value matches the pattern. A part is enough, as in Go and in the gateway. */
function matchesPattern({ pattern }: Parameter, value: string): boolean {
  if (pattern === undefined) return true
  try {
    return RE2JS.compile(pattern).matcher(value).find()
  } catch {
    // The value is sent, because the gateway's own error for an invalid pattern is better.
    return true
  }
}

/**
 * Adds the parameter's name to the gateway's error, in which there are only the pattern and a place in the
 * template. Only the gateway can check the value, because a template may change it first.
 */
export function withParameterName(
  error: unknown,
  { parameters }: Runbook,
  given: Readonly<Record<string, string>>,
): unknown {
  if (!(error instanceof ApiError) || error.kind !== 'invalid') return error
  const { message } = error
  const at = message.indexOf(PATTERN_MISMATCH)
  const pattern = at < 0 ? undefined : message.slice(at + PATTERN_MISMATCH.length)
  const wrong = parameters.filter(
    (parameter) => parameter.pattern === pattern && !matchesPattern(parameter, given[parameter.name] ?? ''),
  )
  if (pattern === undefined || wrong.length === 0) return error
  const names = wrong.map(({ name }) => name).join(', ')
  return new ApiError('invalid', `parameter ${names}: the value has to match ${pattern}`, error)
}
