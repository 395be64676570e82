import type { GatewayCode } from './gateway-codes.ts'

/**
 * Hoop's sentences, word for word, because hoop's programs show them and some programs compare them. Our
 * client recognises some of the sentences, because hoop's gateway sends no code.
 */
export const hoopWords = {
  invalidAuthentication: 'invalid authentication',
  otherAgentName: 'invalid authentication, mismatch dsn attributes',
  missingOrigin: 'missing client origin',
  agentNotFound: 'agent not found',
  agentAlreadyConnected: 'agent already connected',
  accessDenied: 'access denied',
  invalidCredentials: 'invalid credentials',
  connectionNotFound: 'connection not found',
  sessionNotFound: 'session not found',
  notFound: 'not found',
  pluginNotFound: 'plugin not found',
  unauthorized: 'unauthorized',
  downloadExpired: 'session download link expired',
  agentIsOffline: 'agent is offline',
  agentHasDisconnected: 'agent has disconnected',
  /** The agent ended its stream normally. */
  agentHasEnded: 'EOF',
  sessionKilled: 'session killed by the user',
  gatewayShutdown: 'gateway shutdown',
  sessionExpired: 'reached max timeout (48h0m0s) waiting for session to end',
  runbooksNotEnabled: 'plugin is not enabled for this connection',
  noRunbookConfiguration: 'runbook configuration not found',
  noRunbooksPlugin: 'plugin runbooks not found',
  ruleNotFound: 'runbook rule not found',
  runbooksNotHere: 'runbooks plugin does not have this connection',
  runbookNotPermitted: 'user is not allowed to run this runbook on this connection',
  tooManyMetadata: 'metadata field must have less than 10 fields',
  tooLongMetadata: 'metadata key or value must not contain more than 2500 characteres',
  tooLongCorrelationId: 'correlation_id must not exceed 255 characters',
  unprintableCorrelationId: 'correlation_id must contain only printable ASCII characters',
  unknownEventStream: 'event_stream attribute has an unknown type format',
  namedConnectionNotFound: 'connection <name> not found',
  repositoryNotFound: 'runbook repository config <name> not found',
  runbookNotFound: 'runbook file <file> not found',
  runbookNotInGit: (file: string) => `runbook file ${file} not found on git repo`,
  sessionNotCreated: (reason: string) => `the session couldn't be created: ${reason}`,
  runbooksNotListed: (repository: string, reason: string) =>
    `failed listing runbooks for repo ${repository}, err=${reason}`,
  invalidListOption: 'failed listing sessions, invalid "<option>" option: <reason>',
  jiraFieldsMissing: <Fields extends string>(fields: Fields) =>
    `unable to parse fields, missing required fields: [${fields}]` as const,
  jiraFailed: <Reason extends string>(reason: Reason) =>
    `failed creating jira customer request: ${reason}` as const,
  serviceDesksNotAsked: (project: string, reason: string) =>
    `failed performing service desk http request for ${project}, reason=${reason}`,
  /** `answer` has the form `status=404, body=...`. */
  serviceDesksNotListed: (url: string, answer: string) =>
    `unable to list service desk resources, api-url=${url}, ${answer}`,
  jiraProjectNotFound: (project: string) => `unable to find project key ${project}`,
  serviceDeskNotFound: (project: string, reason: string) =>
    `unable to find service desk id for ${project}, ${reason}`,
  issueNotCreated: (answer: string) => `unable to create jira issue, ${answer}`,
  issueNotAsked: (reason: string) => `failed creating jira issue, reason=${reason}`,
  /** `found` has the form `issue=OPS-9, transition-names=[...]`. */
  transitionNotFound: (name: string, found: string) =>
    `unable to find a issue transition matching ${name}, ${found}`,
  reviewNotFound: 'review not found',
  reviewedSessionNotFound: 'reviewed session not found',
  resourceNotFound: 'resource not found',
  reviewInWrongState: 'review is in wrong state',
  selfApproval: 'unable to self approve review',
  notEligible: 'not eligible for review',
  notToExecute: 'unable to execute session',
  notToDownload: 'user is not allowed to download this session',
  notToStream: 'user is not allowed to stream this session',
  notApproved: 'review not approved or already executed',
  halfTimeWindow: 'both from and to time must be provided',
  accessOver: 'session ended, reached connection duration',
  accessTooLong: 'jit access input must not be greater than 48 hours',
  reviewNotUpdated: <Reason extends string>(reason: Reason) =>
    `failed updating review status: ${reason}` as const,
  invalidWindowTime: 'invalid <which> format, expected HH:MM in 24-hour format',
  outsideWindow: 'execution not allowed outside the time window <start> to <end> UTC',
  alreadyProcessed: 'the session <session> is already being processed',
  invalidAccessDuration: (given: string) => `invalid access time duration, got=${given}`,
  accessAboveMax: (seconds: string) => `jit access input exceeds connection max duration of ${seconds}s`,
  disabled: <Use extends string>(use: Use) => `${use} is disabled for this connection` as const,
} as const

/** Beginnings of reasons that have no status of their own (protocol.md 4.4, 4.5). */
const BEGINNINGS: readonly (readonly [beginning: string, code: GatewayCode])[] = [
  [hoopWords.agentIsOffline, 'agent-offline'],
  ['session killed', 'session-killed'],
  [hoopWords.gatewayShutdown, 'gateway-stopped'],
  ['reached max timeout', 'session-expired'],
  [hoopWords.accessOver, 'access-ended'],
]
const DISABLED = hoopWords.disabled('exec').replace('exec ', '')

/** Returns the code that the embedded gateway sends with this reason. */
export function codeOfWords(reason: string): GatewayCode | undefined {
  if (reason.includes(DISABLED)) return 'not-permitted'
  if (reason === hoopWords.agentHasDisconnected || reason === hoopWords.agentHasEnded) return 'agent-lost'
  return BEGINNINGS.find(([beginning]) => reason.startsWith(beginning))?.[1]
}
