import { oneLine } from '../../../basics/text/one-line.ts'
import { printableJson } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { call } from '../../../client/rest/http/call.ts'
import { scheduleContract } from '../../../contract/schedules.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, type AskingFlags } from '../account/asking.ts'
import { listingCommand, showingCommand } from '../account/listing.ts'
import { scheduleDetails, scheduleTable, type ScheduleRunRead } from './texts.ts'

export interface ScheduleFlags extends AskingFlags {
  readonly quiet?: boolean
}

const LIST = {
  things: 'schedules',
  endpoint: 'GET /api/schedules',
  fetch: (account: Account) => call(account, scheduleContract.list, {}),
  table: scheduleTable,
}

/** `runbook-agent schedules list` */
export function schedulesCommand(flags: AskingFlags): Promise<number> {
  return listingCommand(flags, LIST)
}

/** `runbook-agent schedules show` */
export function scheduleCommand(name: string, flags: AskingFlags): Promise<number> {
  const problem = `cannot show schedule ${name}`
  return showingCommand(
    flags,
    problem,
    (account) => call(account, scheduleContract.show, { name }),
    scheduleDetails,
  )
}

/** A gateway that runs a schedule reads the runbook first, and may ask Jira. */
const RUN_MS = 300_000

/** `runbook-agent schedules run`: prints the session that has begun, whether it runs or waits for approval. */
export async function runScheduleCommand(name: string, flags: ScheduleFlags): Promise<number> {
  return asking(flags.profile, `cannot run schedule ${name}`, async (account, stdout) => {
    const run = await call(account, scheduleContract.run, { name }, { answerMs: RUN_MS })
    if (run.status === 'failed' && run.session_id === '')
      throw new Failure(oneLine(`schedule ${name} could not run: ${run.reason}`), exitCodes.unreachable)
    const text = flags.json === true ? printableJson(run.raw) : oneLine(run.session_id)
    await stdout.write(Buffer.from(`${text}\n`))
    if (flags.quiet !== true && flags.json !== true) process.stderr.write(`runbook-agent: ${wayOn(run)}\n`)
  })
}

function wayOn({ status, session_id: session }: ScheduleRunRead): string {
  if (status === 'waiting') return oneLine(`session ${session} waits for approval, and runs by itself then`)
  return oneLine(`to see it: runbook-agent sessions follow ${session}`)
}

/** `runbook-agent schedules pause`, and `resume` */
export async function pauseCommand(name: string, isPaused: boolean, flags: ScheduleFlags): Promise<number> {
  const word = isPaused ? 'pause' : 'resume'
  const operation = scheduleContract[word]
  return asking(flags.profile, `cannot ${word} schedule ${name}`, async (account, stdout) => {
    const { raw, next_run: next } = await call(account, operation, { name })
    if (flags.json === true) return stdout.write(Buffer.from(`${printableJson(raw)}\n`))
    const when = next === '' ? 'it does not run by itself' : `it runs next at ${next}`
    if (flags.quiet !== true) process.stderr.write(`runbook-agent: ${oneLine(`${name}: ${when}`)}\n`)
  })
}
