import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { oneLine } from '../../basics/text/one-line.ts'
import { readAccount } from '../client/account-from-env.ts'
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
  const completed = complete(root, words.slice(0, -1), current, gatewaySources(readAccount))
  const found = await Promise.race([completed, delay(LONGEST_MS, [], { ref: false })])
  process.stdout.write(found === 'files' ? `${FILES}\n` : found.filter(isPlain).map(line).join(''))
  return 0
}

/** Whether a shell takes the value as one plain word. Others are not offered. */
function isPlain({ value }: Candidate): boolean {
  return value !== '' && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)
}

function line({ value, description }: Candidate): string {
  const what = oneLine(description)
  return what === '' ? `${value}\n` : `${value}\t${what}\n`
}
