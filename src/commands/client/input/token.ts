import { isToken } from '../../../client/account/account.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { readGivenText, readStandardInput } from './given-file.ts'
import { askUnseen, canAsk } from '../terminal/prompts.ts'

/** A JWT with many groups has some KB. */
const LONGEST_TOKEN = 64 * 1024

/**
 * Reads a token from a file, a prompt or standard input: every user of this machine could read an argument.
 * @throws Failure
 */
export async function readToken(tokenFile: string | undefined): Promise<string> {
  const token = (await tokenText(tokenFile)).trim()
  if (isToken(token)) return token
  throw new Failure(
    token === '' ? 'the token is empty' : 'the token is not one word of ASCII: is this the right file?',
    exitCodes.usage,
  )
}

async function tokenText(tokenFile: string | undefined): Promise<string> {
  if (tokenFile === undefined && canAsk()) return askUnseen('Token of the gateway:')
  if (tokenFile === undefined || tokenFile === '-') return readStandardInput(LONGEST_TOKEN, 'the token')
  return readGivenText(tokenFile, LONGEST_TOKEN, `the token file ${tokenFile}`)
}
