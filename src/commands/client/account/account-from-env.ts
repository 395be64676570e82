import { homedir } from 'node:os'
import { findAccount, type Account } from '../../client/account/account.ts'
import { accountPath, readAccountFile } from '../../client/account/account-file.ts'
import { clientFailure } from './failures.ts'

export function accountFile(): string {
  return accountPath(process.env, homedir())
}

/** @throws Failure, exit code 78, when nobody has signed in or the file is not private */
export function readAccount(): Account {
  const file = accountFile()
  try {
    return findAccount({ env: process.env, stored: readAccountFile(file), file })
  } catch (error) {
    throw clientFailure(error, '')
  }
}
