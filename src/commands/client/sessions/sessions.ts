import { oneLine } from '../../../basics/text/one-line.ts'
import { fetchEvents, killSession, openOutput } from '../../../client/rest/sessions.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, type AskingFlags, showingCommand } from '../asking/asking.ts'
import { asciicast, framesOf } from './cast.ts'
import { sessionDetails } from './details.ts'
import { sessionOf, wholeId } from './find.ts'
import { play } from './play.ts'

/** `runbook-agent sessions show`: everything about one session except its output. */
export function showCommand(id: string, flags: AskingFlags): Promise<number> {
  return showingCommand(
    flags,
    `cannot show session ${id}`,
    (account) => sessionOf(account, id),
    sessionDetails,
  )
}

/** `runbook-agent sessions output`: what it has written so far, byte for byte. */
export async function outputCommand(id: string, { profile }: AskingFlags): Promise<number> {
  return asking(profile, `cannot read the output of session ${id}`, async (account, stdout) => {
    const output = await openOutput(account, await wholeId(account, id))
    for await (const piece of output) await stdout.write(piece)
  })
}

/** `runbook-agent sessions kill`: tells a killed session from one that had ended by itself. */
export async function killCommand(
  id: string,
  { quiet = false, profile }: { readonly quiet?: boolean; readonly profile?: string },
): Promise<number> {
  return asking(profile, `cannot kill session ${id}`, async (account) => {
    const { id: whole, status } = await sessionOf(account, id)
    const hasEnded = status === 'done'
    if (!hasEnded) await killSession(account, whole)
    const what = oneLine(`session ${whole}`)
    if (!quiet) process.stderr.write(hasEnded ? `${what} had ended already\n` : `killed ${what}\n`)
  })
}

export interface ReplayFlags {
  readonly speed: string
  readonly maxPause: string
  readonly cast?: boolean
  readonly profile?: string
}

/** `runbook-agent sessions replay`: on a terminal at its own pace, otherwise as a recording. */
export async function replayCommand(id: string, flags: ReplayFlags): Promise<number> {
  const pace = {
    speed: positive(flags.speed, '--speed'),
    longestPauseMs: positive(flags.maxPause, '--max-pause') * 1000,
  }
  let exitCode: number = exitCodes.done
  await asking(flags.profile, `cannot replay session ${id}`, async (account, stdout) => {
    const session = await sessionOf(account, id)
    const frames = framesOf(await fetchEvents(account, session.id))
    if (flags.cast !== true && process.stdout.isTTY) exitCode = await play(frames, stdout, pace)
    else for (const line of asciicast(session, frames)) await stdout.write(Buffer.from(line))
  })
  return exitCode
}

function positive(text: string, flag: string): number {
  const number = /^\d{1,6}(\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (number > 0) return number
  throw new Failure(`${flag} is a number such as 2 or 0.5`, exitCodes.usage)
}
