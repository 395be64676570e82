/** What to do about an error, by the gateway's code (docs/endings-and-codes.md has all of them). */
const ADVICE: Readonly<Partial<Record<string, string>>> = {
  unreachable: 'Check that the gateway runs and that you are connected to its network, then try again.',
  'page-failed': 'Reload the page. If it happens again, tell whoever runs the gateway.',
  unauthenticated:
    'Check the token: it may be mistyped, expired or revoked. Whoever runs the gateway gives out new ones.',
  'token-ended': 'Sign in again.',
  'not-permitted': 'Ask whoever runs the gateway whether you may do this.',
  'invalid-parameters': 'Correct the parameters and try again.',
  'invalid-runbook': 'The file has to be corrected: tell its author.',
  'invalid-request': 'Correct what was entered and try again.',
  'too-large': 'Make the parameters or files smaller.',
  'too-much-at-once': 'Wait until some of your sessions have ended, then try again.',
  'too-many-clients': 'Close other tabs that follow sessions, then try again.',
  'agent-offline': 'Start the agent of the connection, then run it again. Nothing has run.',
  'agent-lost': 'It is not known how the command has ended: the journal of the agent says it.',
  'lock-busy': 'Wait until the session that holds the lock has ended, or stop it.',
  'gateway-stopped': 'Wait until the gateway has started again.',
  'gateway-draining': 'Nothing has run. Wait until the gateway has started again.',
  'history-no-room': 'Nothing has run. Whoever runs the gateway has to make room on its disk.',
  'connection-not-found': 'Choose another connection: this one is gone, or is not for you.',
  'runbooks-not-configured': 'Whoever runs the gateway can give a connection a repository in gateway.yaml.',
  'runbook-not-found': 'Look for it in the list: it may have been moved or renamed.',
  'repository-failed': "The gateway's log says what git could not do.",
  'session-not-found': 'Check the address: the session may have been removed, or is not for you.',
  'review-not-found': 'It may have been decided or removed meanwhile. Look at the list of approvals.',
  'review-wrong-state': 'Look at its state: it was decided or has ended meanwhile.',
  'not-eligible': 'Somebody of the groups that are named has to decide.',
  'already-processing': 'It runs already: follow the session.',
  'outside-time-window': 'Wait until the time window opens.',
  'batch-refused': 'Put right what each connection says below, or leave it out.',
  'schedule-busy': 'Wait for the run that goes on, or stop its session.',
  'budget-spent': 'Wait until there is room again, or ask for a larger budget.',
  'sign-in-refused': 'Ask whoever runs the gateway who may sign in.',
  'sign-in-expired': 'Begin again: a link or code is good for a short time, and once.',
  'invalid-jira-fields': 'Give the fields that the issue needs.',
  'jira-failed': 'Nothing has run. Try again, or look at Jira.',
}

export function adviceFor(code: string, status: number): string {
  const known = ADVICE[code]
  if (known !== undefined) return known
  return status >= 500 ? "Try again. If it stays, the gateway's log says why." : 'Correct it and try again.'
}
