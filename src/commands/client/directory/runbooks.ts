import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine } from '../../../basics/text/one-line.ts'
import { printableText } from '../../../basics/text/printable.ts'
import type { ItemColumn } from '../../../basics/text/table.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import {
  fetchCatalog,
  type RunbookCatalog,
  type CatalogEntry,
  type Parameter,
} from '../../../client/rest/runbooks.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, factLines, printAnswer, type AskingFlags, printList } from '../asking/asking.ts'
import { describeParameter } from '../report/words.ts'
import { meantConnection } from '../report/failures.ts'

export const RUNBOOK_COLUMNS: readonly ItemColumn<CatalogEntry>[] = [
  { heading: 'NAME', shrinks: true, of: ({ runbook }) => runbook.name },
  { heading: 'TITLE', shrinks: true, leftOut: 2, of: ({ runbook }) => runbook.title ?? '' },
  { heading: 'PARAMETERS', shrinks: true, leftOut: 3, of: parametersText },
  { heading: 'CONNECTIONS', shrinks: true, leftOut: 4, of: ({ connections }) => connections.join(', ') },
  { heading: 'REPOSITORY', shrinks: true, leftOut: 1, of: ({ runbook }) => runbook.repository ?? '' },
]

export interface RunbookFlags extends AskingFlags {
  readonly connection?: string
  readonly repository?: string
}

/** `runbook-agent runbooks list`: lists the readable runbooks, and reports what the gateway cannot read. */
export async function runbooksCommand(flags: RunbookFlags): Promise<number> {
  return asking(flags.profile, 'cannot list runbooks', async (account, stdout) => {
    const { entries } = await readCatalog(account, flags)
    await printList(flags, RUNBOOK_COLUMNS, entries, stdout)
  })
}

function parametersText({ runbook }: CatalogEntry): string {
  return runbook.error === undefined ? runbook.parameters.map(short).join(' ') : 'cannot be run'
}

/** The name of a parameter, in brackets when it is optional. */
function short({ name, default: proposed }: Parameter): string {
  return proposed === undefined ? name : `[${name}]`
}

export async function runbookCommand(file: string, flags: RunbookFlags): Promise<number> {
  return asking(flags.profile, `cannot show runbook ${file}`, async (account, stdout) => {
    const entry = entryNamed(file, flags, await readCatalog(account, flags))
    await printAnswer(flags, entry.raw, () => runbookDetails(entry), stdout)
  })
}

/** @throws Failure, exit code 64, when no runbook, or more than one, has the name */
function entryNamed(file: string, { repository }: RunbookFlags, { entries }: RunbookCatalog): CatalogEntry {
  const named = entries.filter(({ runbook }) => runbook.name === file)
  const found = named.filter(({ runbook }) => repository === undefined || runbook.repository === repository)
  const [entry, ...others] = found
  if (entry !== undefined && others.length === 0) return entry
  const repositories = named.map(({ runbook }) => runbook.repository ?? '')
  throw new Failure(oneLine(entry === undefined ? missing() : severalHave()), exitCodes.usage)

  function missing(): string {
    if (named.length > 0)
      return `no repository ${repository ?? ''} has ${file}: it is in ${repositories.join(', ')}`
    const names = entries.map(({ runbook }) => runbook.name)
    return `the gateway has no runbook ${file}: ${didYouMean(file, names) ?? 'runbook-agent runbooks list has those for you'}`
  }
  function severalHave(): string {
    return `${file} is in more than one repository: choose with --repository (${repositories.join(', ')})`
  }
}

/** A runbook for people: facts, parameters, and the command that runs it. */
export function runbookDetails({ runbook, connections, commit }: CatalogEntry): string {
  const { name, title = '', description, repository = '', error = '', parameters } = runbook
  const facts = factLines([
    ['runbook', name],
    ['title', title],
    ['repository', repository],
    ['commit', commit],
    ['connections', connections.join(', ')],
    ['cannot be run', error],
  ])
  if (error !== '') return facts
  const more = description === undefined ? '' : `\n${indented(description)}`
  const described = factLines(
    parameters.map((parameter) => [parameter.name, describeParameter(parameter) || '-']),
    '  ',
  )
  const given = parameters.filter((one) => one.default === undefined).map((one) => ` -p ${one.name}=...`)
  const run = `runbook-agent run ${connections[0] ?? 'CONNECTION'} ${name}${given.join('')}`
  return `${facts}${more}${described === '' ? '' : `\nparameters\n${described}`}\nrun it with\n  ${oneLine(run)}\n`
}

function indented(text: string): string {
  return printableText(text)
    .split('\n')
    .map((line) => `${`  ${line}`.trimEnd()}\n`)
    .join('')
}

/** Reads the catalog and reports what the gateway cannot read. @throws Failure when there is nothing else */
async function readCatalog(account: Account, { connection }: RunbookFlags): Promise<RunbookCatalog> {
  const catalog = await catalogOf(account, connection)
  if (catalog === undefined)
    throw new Failure(
      `the gateway ${account.rest.url} has no runbooks: it does not know GET /api/runbooks, or has no repository`,
      exitCodes.unreachable,
    )
  if (catalog.entries.length === 0 && catalog.errors.length > 0)
    throw new Failure(
      `no runbook can be read: ${catalog.errors.map(oneLine).join('; ')}`,
      exitCodes.unreachable,
    )
  for (const error of catalog.errors) process.stderr.write(`runbook-agent: ${oneLine(error)}\n`)
  if (catalog.entries.length === 0 && connection !== undefined) await checkConnection(account, connection)
  return catalog
}

async function catalogOf(
  account: Account,
  connection: string | undefined,
): Promise<RunbookCatalog | undefined> {
  try {
    return await fetchCatalog(account, connection)
  } catch (error) {
    if (connection === undefined || !(error instanceof ApiError) || error.kind !== 'not-found') throw error
    throw unknown(connection, await meantConnection(account, connection))
  }
}

/** hoop answers with an empty list for an unknown connection. @throws Failure with the name that was probably meant */
async function checkConnection(account: Account, connection: string): Promise<void> {
  const meant = await meantConnection(account, connection)
  if (meant !== '') throw unknown(connection, meant)
}

function unknown(connection: string, meant: string): Failure {
  return new Failure(`the gateway has no connection ${oneLine(connection)}${meant}`, exitCodes.usage)
}
