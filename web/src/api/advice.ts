/** Advice for the gateway's codes. docs/endings-and-codes.md lists all codes. */
const ADVICE: Readonly<Partial<Record<string, string>>> = {
  unreachable: 'Check that the gateway runs and that you are connected to its network, then try again.',
  'page-failed': 'Reload the page. If the error occurs again, tell the admins of the gateway.',
  unauthenticated:
    'The token may be mistyped, expired or revoked. The admins of the gateway can give you a new token.',
  'token-ended': 'Sign in again.',
  'not-permitted': 'Ask the admins of the gateway for permission.',
  'invalid-parameters': 'Correct the parameters and try again.',
  'invalid-runbook': 'Tell the author of the runbook that the file must be corrected.',
  'invalid-request': 'Correct your input and try again.',
  'invalid-settings': 'Correct the file. Until then the gateway keeps the settings that it read before.',
  'too-large': 'Make the parameters or files smaller.',
  'too-much-at-once': 'Wait until some of your sessions have ended, then try again.',
  'too-many-clients': 'Close other tabs that follow sessions, then try again.',
  'agent-offline': 'Nothing has run. Start the agent of the connection, then try again.',
  'agent-lost': 'The gateway does not know how the command ended. See the journal of the agent.',
  'lock-busy': 'Wait until the session that holds the lock has ended, or stop it.',
  'gateway-stopped': 'Wait until the gateway has started again.',
  'gateway-draining': 'Nothing has run. Wait until the gateway has started again.',
  'history-no-room': "Nothing has run. The admins of the gateway must free space on the gateway's disk.",
  'connection-not-found':
    'Choose another connection. This connection was removed, or you have no access to it.',
  'runbooks-not-configured': 'The admins of the gateway can give a connection a repository in gateway.yaml.',
  'runbook-not-found': 'Look for the runbook in the list. The file may have been moved or renamed.',
  'repository-failed': "The gateway's log has the error of git.",
  'session-not-found': 'Check the address. The session may have been removed, or you have no access to it.',
  'review-not-found': 'Look at the list of approvals. The request may have been decided or removed.',
  'review-wrong-state':
    'Look at the state of the request. The request was decided or has ended in the meantime.',
  'not-eligible': 'A member of one of the named groups must decide.',
  'already-processing': 'The session is already running. Open the session to follow its output.',
  'outside-time-window': 'Wait until the time window opens.',
  'batch-refused': 'Correct the problem of each connection below, or leave the connection out.',
  'batch-retried': 'Look at the new batch. What it leaves can be run again there.',
  'values-missing': 'Type the named values again, because they are not recorded.',
  'commit-gone': 'Look at the difference below, then run the present commit if it is what you want.',
  'choice-gone': 'Choose another value: the list of the parameter does not have this one now.',
  'choices-failed': 'Nothing has run. Look at the session of the list, or ask the author of the runbook.',
  'settings-changed': 'Look at the changes again, because they are others now, then choose Reload.',
  'schedule-busy': 'Wait until the current run of the schedule ends, or stop its session.',
  'budget-spent': 'Wait until the budget is no longer used up, or ask for a larger budget.',
  'sign-in-refused': 'Ask the admins of the gateway who may sign in.',
  'sign-in-expired': 'Start the sign-in again. A link or a code works only once, and only for a short time.',
  'invalid-jira-fields': 'Fill in the fields that the Jira issue needs.',
  'jira-failed': 'Nothing has run. Try again, or check Jira.',
  'sign-in-again': 'Nothing has changed. Try again, and sign in when the page asks for it.',
  'declared-in-settings': 'Make the change in gateway.yaml, then reload the settings.',
  'name-taken': 'Choose another name.',
  'not-yourself': 'Ask another admin to do this.',
  'not-rotatable': 'Create a new token instead.',
  'too-many-tokens': 'Revoke tokens that nobody needs any more.',
  'user-not-found': 'Look at the list of users. The user may have been deleted.',
  'token-not-found': 'Look at the list of tokens. The token may have been deleted with its user.',
}

export function adviceFor(code: string, status: number): string {
  const known = ADVICE[code]
  if (known !== undefined) return known
  return status >= 500
    ? "Try again. If the request fails again, see the gateway's log."
    : 'Correct your input and try again.'
}
