import { oneLine } from '../../../basics/text/one-line.ts'
import { printableJson } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import {
  fetchEvents,
  fetchSession,
  killSession,
  openOutput,
  type RecordedSession,
} from '../../../client/rest/sessions.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { ByteOutput, ReaderGone } from '../stream/byte-output.ts'
import { clientFailure } from '../failures.ts'
import { readAccount } from '../account-from-env.ts'
import { asciicast, framesOf } from './cast.ts'
import { sessionDetails } from './details.ts'
import { newest, wholeId } from './find.ts'
import { play } from './play.ts'
import { sessionTable } from './table.ts'

export interface ListFlags {
  readonly connection?: string
  readonly user?: string
  readonly limit: string
  readonly json?: boolean
}

const DEFAULT_COLUMNS = 80
const LARGEST_LIMIT = 10_000

/** `runbook-agent sessions list`: a table on a terminal, otherwise the gateway's JSON. */
export async function listCommand({ limit, json = false, ...filter }: ListFlags): Promise<number> {
  if (!/^[1-9]\d{0,4}$/.test(limit) || Number(limit) > LARGEST_LIMIT)
    throw new Failure(`--limit is a number from 1 to ${LARGEST_LIMIT}`, exitCodes.usage)
  return asking('cannot list sessions', async (account, stdout) => {
    const sessions: RecordedSession[] = []
    for await (const session of newest(account, filter, Number(limit))) sessions.push(session)
    const text =
      json || !process.stdout.isTTY
        ? `${printableJson(
            sessions.map(({ raw }) => raw),
            2,
          )}\n`
        : sessionTable(sessions, process.stdout.columns || DEFAULT_COLUMNS)
    await stdout.write(Buffer.from(text))
    return exitCodes.done
  })
}

/** `runbook-agent sessions show`: everything about one session except its output. */
export async function showCommand(
  id: string,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  return asking(`cannot show session ${id}`, async (account, stdout) => {
    const session = await fetchSession(account, await wholeId(account, id))
    const asJson = json || !process.stdout.isTTY
    const text = asJson ? `${printableJson(session.raw, 2)}\n` : sessionDetails(session)
    await stdout.write(Buffer.from(text))
    return exitCodes.done
  })
}

/** `runbook-agent sessions output`: what it has written so far, byte for byte. */
export async function outputCommand(id: string): Promise<number> {
  return asking(`cannot read the output of session ${id}`, async (account, stdout) => {
    const output = await openOutput(account, await wholeId(account, id))
    for await (const piece of output) await stdout.write(piece)
    return exitCodes.done
  })
}

/** `runbook-agent sessions kill`. Does not claim to have killed a session that had ended by itself. */
export async function killCommand(
  id: string,
  { quiet = false }: { readonly quiet?: boolean },
): Promise<number> {
  return asking(`cannot kill session ${id}`, async (account) => {
    const { id: whole, status } = await fetchSession(account, await wholeId(account, id))
    const hasEnded = status === 'done'
    if (!hasEnded) await killSession(account, whole)
    const what = oneLine(`session ${whole}`)
    if (!quiet) process.stderr.write(hasEnded ? `${what} had ended already\n` : `killed ${what}\n`)
    return exitCodes.done
  })
}

export interface ReplayFlags {
  readonly speed: string
  readonly maxPause: string
  readonly cast?: boolean
}

/** `runbook-agent sessions replay`: on a terminal at its own pace, otherwise as a recording. */
export async function replayCommand(id: string, flags: ReplayFlags): Promise<number> {
  const pace = {
    speed: positive(flags.speed, '--speed'),
    longestPauseMs: positive(flags.maxPause, '--max-pause') * 1000,
  }
  return asking(`cannot replay session ${id}`, async (account, stdout) => {
    const session = await fetchSession(account, await wholeId(account, id))
    const frames = framesOf(await fetchEvents(account, session.id))
    if (flags.cast !== true && process.stdout.isTTY) return play(frames, stdout, pace)
    for (const line of asciicast(session, frames)) await stdout.write(Buffer.from(line))
    return exitCodes.done
  })
}

function positive(text: string, flag: string): number {
  const number = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (number > 0) return number
  throw new Failure(`${flag} is a number such as 2 or 0.5`, exitCodes.usage)
}

type Act = (account: Account, stdout: ByteOutput) => Promise<number>

/** @returns the exit code. A reader that has seen enough (`| head`) is no failure */
async function asking(doing: string, act: Act): Promise<number> {
  const account = readAccount()
  try {
    return await act(account, new ByteOutput(1))
  } catch (error) {
    if (error instanceof ReaderGone) return exitCodes.done
    throw clientFailure(error, oneLine(doing))
  }
}
