import { removeAccountFile } from '../../client/account/account-file.ts'
import { explain } from '../failure.ts'
import { accountFile } from './account-from-env.ts'

/** `runbook-agent logout`: forgets the token. The gateway goes on to accept it. */
export function logoutCommand(flags: { readonly quiet?: boolean }): void {
  const file = accountFile()
  let removed: boolean
  try {
    removed = removeAccountFile(file)
  } catch (error) {
    throw explain(error, `cannot remove ${file}`, 'Remove it by hand: it holds a token')
  }
  if (flags.quiet !== true)
    process.stderr.write(removed ? `signed out: removed ${file}\n` : `not signed in: there is no ${file}\n`)
}
