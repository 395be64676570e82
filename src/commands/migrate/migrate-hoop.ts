import { oneLine } from '../../basics/text/printable.ts'
import { type Account, findAccount, parseRestAddress } from '../../client/account/account.ts'
import { printAnswer } from '../client/asking/asking.ts'
import { clientFailure } from '../client/report/failures.ts'
import { exitCodes, Failure } from '../exit-codes.ts'
import { gatewayFile, readGatewaySettings } from '../gateway/gateway.ts'
import {
  carriedOf,
  readHoopState,
  Ids,
  type Migration,
  type MigrationOptions,
  type MigrationStep,
} from './step.ts'
import { type Note, notesOf, type Report, type Reported, reportJson, reportText } from './report.ts'
import { stepsOf } from './plan.ts'
import { readAccount } from '../client/asking/account.ts'
import { readToken } from '../client/input.ts'

export interface MigrateHoopFlags extends TargetFlags {
  readonly config: string
  readonly apply?: boolean
  readonly agentKeys?: string
  readonly accessControl?: boolean
  readonly secrets?: boolean
  readonly json?: boolean
}

/**
 * Writes the objects of gateway.yaml to a hoop gateway, or only prints them without `--apply`. The command
 * removes nothing in hoop, and a second run finds nothing to do.
 * @returns the exit code: 65 if hoop protects an object less
 * @throws Failure if hoop refuses a step, after the report of finished and remaining steps
 */
export async function migrateHoopCommand(flags: MigrateHoopFlags): Promise<number> {
  const settings = readGatewaySettings(gatewayFile(flags.config))
  const account = await targetAccount(flags)
  const carried = carriedOf(settings)
  const names = carried.connections.map(({ name }) => name)
  const present = await orFailure(
    'cannot read the settings of the hoop gateway',
    readHoopState(account, names),
  )
  const migration = { settings, carried, present, ids: new Ids(), account, options: optionsOf(flags) }
  const steps = stepsOf(migration)
  const notes = notesOf(migration, steps)
  if (flags.apply === true) await apply(steps, notes, migration, flags)
  else await print(flags, report(account, steps.map(planned), notes, true))
  return notes.some(({ isWeaker }) => isWeaker) ? exitCodes.findings : exitCodes.done
}

function optionsOf(flags: MigrateHoopFlags): MigrationOptions {
  return {
    keyFolder: flags.agentKeys,
    accessControl: flags.accessControl === true,
    secrets: flags.secrets === true,
  }
}

async function orFailure<T>(doing: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    throw clientFailure(error, doing)
  }
}

function planned(step: MigrationStep): Reported {
  return { step, outcome: 'planned' }
}

function report(
  { rest }: Account,
  steps: readonly Reported[],
  notes: readonly Note[],
  isDryRun: boolean,
): Report {
  return { to: rest.url, isDryRun, steps, notes }
}

async function print(flags: MigrateHoopFlags, made: Report): Promise<void> {
  await printAnswer(flags, reportJson(made), (width) => reportText(made, width))
}

/** Stops at the first step that hoop refuses. */
async function apply(
  steps: readonly MigrationStep[],
  notes: readonly Note[],
  { account, options }: Migration,
  flags: MigrateHoopFlags,
): Promise<void> {
  const agents = steps.filter(({ kind, action }) => kind === 'agent' && action === 'create')
  if (agents.length > 0 && options.keyFolder === undefined) throw noKeyFolder(agents)
  const done: Reported[] = []
  for (const step of steps) {
    const refusal = step.action === 'same' ? undefined : await tryStep(step)
    done.push({ step, outcome: refusal === undefined ? 'done' : 'refused' })
    if (refusal === undefined) continue
    const left = steps.slice(done.length).map((one): Reported => ({ step: one, outcome: 'left' }))
    await print(flags, report(account, [...done, ...left], notes, false))
    throw refusal
  }
  await print(flags, report(account, done, notes, false))
}

async function tryStep(step: MigrationStep): Promise<Error | undefined> {
  try {
    await step.write()
    return undefined
  } catch (error) {
    const doing = `cannot write the ${step.kind} ${oneLine(step.name)} to hoop`
    return clientFailure(error, doing) as Error
  }
}

function noKeyFolder(agents: readonly MigrationStep[]): Failure {
  const names = agents.map(({ name }) => name).join(', ')
  return new Failure(
    `hoop creates new keys for ${names}, and shows each key only once: name a folder for the keys with --agent-keys`,
    exitCodes.usage,
  )
}

interface TargetFlags {
  readonly to?: string
  readonly tokenFile?: string
  readonly profile?: string
}

/**
 * Reads the token for `--to` from a file, from HOOP_TOKEN or from a prompt. HOOP_TOKEN is used only if the
 * environment is for this gateway.
 * @throws Failure
 */
async function targetAccount({ to, tokenFile, profile }: TargetFlags): Promise<Account> {
  if (to !== undefined && profile !== undefined) throw usage('--to and --profile exclude each other')
  if (to === undefined && tokenFile !== undefined) throw usage('--token-file needs --to')
  if (to === undefined) return readAccount(profile)
  const token = tokenOfEnvironment(to, tokenFile) ?? (await readToken(tokenFile))
  const env = { ...process.env, HOOP_APIURL: to, HOOP_TOKEN: token, HOOP_GRPCURL: '' }
  try {
    return findAccount({ env, stored: undefined, file: '--to' })
  } catch (error) {
    throw clientFailure(error, '')
  }
}

/** Returns the token only if the environment is for the gateway `to`. */
function tokenOfEnvironment(to: string, tokenFile: string | undefined): string | undefined {
  const { HOOP_APIURL, HOOP_TOKEN } = process.env
  const isForIt = !HOOP_APIURL || parseRestAddress(HOOP_APIURL)?.url === parseRestAddress(to)?.url
  return tokenFile === undefined && HOOP_TOKEN && isForIt ? HOOP_TOKEN : undefined
}

function usage(message: string): Failure {
  return new Failure(message, exitCodes.usage)
}
