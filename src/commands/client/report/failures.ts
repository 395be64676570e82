import { SetUpError } from '../../../basics/set-up-error.ts'
import { ApiError, type ApiErrorKind } from '../../../client/rest/api-error.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine } from '../../../basics/text/printable.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { Account } from '../../../client/account/account.ts'

const KINDS: Readonly<Record<ApiErrorKind, readonly [exitCode: number, advice?: string]>> = {
  unreachable: [exitCodes.unreachable],
  refused: [exitCodes.refused],
  'not-found': [exitCodes.usage],
  invalid: [exitCodes.usage],
  busy: [exitCodes.unreachable, '. Try again when other sessions have ended'],
  failed: [exitCodes.unreachable, '. See the log of the gateway'],
  'no-gateway': [exitCodes.unreachable],
}

/** The messages of these codes already say what to do next. */
const SAY_THEMSELVES = [
  'gateway-draining',
  'budget-spent',
  'batch-wrong-state',
  'batch-retried',
  'commit-gone',
  'settings-changed',
  'choice-gone',
  'choices-failed',
]

/**
 * Makes a failure of an error from `src/client`. Returns other errors unchanged.
 * @param doing begins the message: `cannot run ops/x.runbook.sh`
 * @param account whose token was sent
 */
export function clientFailure(error: unknown, doing: string, account?: Pick<Account, 'renewal'>): unknown {
  if (error instanceof SetUpError) return new Failure(error.message)
  if (!(error instanceof ApiError)) return error
  const [exitCode, ofKind = ''] = KINDS[error.kind]
  const usual = SAY_THEMSELVES.includes(error.code ?? '') ? '' : ofKind
  const fields = missingJiraFields(error)
  if (fields.length > 0) {
    const flags = fields.map((field) => `--jira ${oneLine(field)}=...`).join(' ')
    return new Failure(`${doing}: the Jira issue lacks required fields: add ${flags}`, exitCode)
  }
  const isRenewed = account !== undefined && isAboutToken(error)
  const advice = isRenewed ? `. The token may have expired: ${account.renewal}` : usual
  return new Failure(`${doing}: ${error.message}${advice}`, exitCode)
}

const MISSING_FIELDS = hoopWords.jiraFieldsMissing('')

/** Reads the names from the message, which hoop's gateway makes in the same way. */
function missingJiraFields({ message }: ApiError): string[] {
  const at = message.indexOf(MISSING_FIELDS.slice(0, -1))
  if (at < 0) return []
  return [...message.slice(at).matchAll(/"([^"\\]+)"/g)].map(([, name = '']) => name)
}

/**
 * Whether the token was refused. Other refusals are about permissions, for which a new token would not help.
 */
function isAboutToken({ status, code }: ApiError): boolean {
  return code === undefined ? status === 401 || status === 403 : code === 'unauthenticated'
}

/**
 * Returns `: did you mean pg?`. Returns an empty text if the connection is known, no name is similar, or the
 * gateway does not answer.
 */
export async function meantConnection(account: Account, name: string): Promise<string> {
  const { connectionNamesIfKnown } = await import('../../../client/rest/connections.ts')
  const names = await connectionNamesIfKnown(account)
  const meant = names.includes(name) ? undefined : didYouMean(name, names)
  return meant === undefined ? '' : `: ${oneLine(meant)}`
}
