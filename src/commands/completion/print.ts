import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { profileNames } from '../../client/account/profiles.ts'
import { oneLine } from '../../basics/text/one-line.ts'
import { accountFile, readAccount } from '../client/account/account-from-env.ts'
import { complete, type Candidate } from './candidates.ts'
import { FILES } from './scripts.ts'
import { gatewaySources } from './sources.ts'

/** The shell does not wait longer. A name lookup that hangs cannot be stopped. */
const LONGEST_MS = 2000

/**
 * @param words up to the cursor, the last one unfinished
 * @returns the exit code
 */
export async function printCandidates(root: Command, words: readonly string[]): Promise<number> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const sources = gatewaySources(
    () => readAccount(profileIn(before)),
    () => profileNames(accountFile()),
  )
  const completed = complete(root, before, current, sources)
  const found = await Promise.race([completed, delay(LONGEST_MS, [], { ref: false })])
  process.stdout.write(found === 'files' ? `${FILES}\n` : found.filter(isPlain).map(line).join(''))
  return 0
}

/** What `--profile` says before the cursor: names are those of that gateway. */
function profileIn(words: readonly string[]): string | undefined {
  const at = words.lastIndexOf('--profile')
  if (at >= 0) return words[at + 1]
  return words.findLast((word) => word.startsWith('--profile='))?.slice('--profile='.length)
}

/** Whether a shell takes the value as one plain word. Others are not offered. */
function isPlain({ value }: Candidate): boolean {
  return value !== '' && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)
}

function line({ value, description }: Candidate): string {
  const what = oneLine(description)
  return what === '' ? `${value}\n` : `${value}\t${what}\n`
}
