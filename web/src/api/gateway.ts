import { person } from './person.ts'
import { ask, Refused } from './request.ts'
import type {
  Agent,
  Choices,
  Connection,
  DatabaseSchema,
  Execution,
  ForeseenScript,
  ListedSchedule,
  ListedSession,
  Person,
  PublicServer,
  Rendered,
  Review,
  RunbookLists,
  Schedule,
  ScheduleRun,
  Server,
  Session,
  SessionList,
  SignedIn,
  StatementsAnswer,
  Token,
  User,
} from './types.ts'

const part = encodeURIComponent

// Requests that change something, and requests that more than one view makes.

export const readPerson = (signal?: AbortSignal) => ask<Person>('GET', '/api/userinfo', signal && { signal })
export const readPublicServer = (signal: AbortSignal) =>
  ask<PublicServer>('GET', '/api/publicserverinfo', { signal })
export const signIn = (body: { readonly token: string } | { readonly code: string }) =>
  ask<SignedIn>('POST', '/api/page/sign-in', { body })
export const signOut = () => ask<unknown>('POST', '/api/page/sign-out')

export const readConnections = (signal: AbortSignal) =>
  ask<Connection[]>('GET', '/api/connections', { signal })
export const readConnection = (name: string, signal: AbortSignal) =>
  ask<Connection>('GET', `/api/connections/${part(name)}`, { signal })
/** Reads the list of a parameter's values, which may take a run of the list. */
export const readChoices = (
  {
    connection,
    file,
    parameter,
  }: { readonly connection: string; readonly file: string; readonly parameter: string },
  signal: AbortSignal,
) => {
  const query = new URLSearchParams({ connection_name: connection, file_name: file, parameter })
  return ask<Choices>('GET', `/api/runbooks/choices?${query.toString()}`, { signal })
}
export const readServer = (signal: AbortSignal) => ask<Server>('GET', '/api/serverinfo', { signal })
export const readAgents = (signal: AbortSignal) => ask<Agent[]>('GET', '/api/agents', { signal })
export const readSchedules = (signal: AbortSignal) =>
  ask<ListedSchedule[]>('GET', '/api/schedules', { signal })
export const readUsers = (signal: AbortSignal) => ask<User[]>('GET', '/api/users', { signal })
export const readUser = (name: string, signal: AbortSignal) =>
  ask<User>('GET', `/api/users/${part(name)}`, { signal })
export const readGroups = (signal: AbortSignal) => ask<string[]>('GET', '/api/users/groups', { signal })
/** Without `user`, reads all tokens that the person may see. */
export const readTokens = (user: string | undefined, signal: AbortSignal) =>
  ask<Token[]>('GET', `/api/tokens${user === undefined ? '' : `?user=${part(user)}`}`, { signal })
export const readReviews = (signal: AbortSignal) => ask<Review[]>('GET', '/api/reviews', { signal })
export const readReview = (id: string, signal: AbortSignal) =>
  ask<Review>('GET', `/api/reviews/${part(id)}`, { signal })
export const readSession = (id: string, signal?: AbortSignal) =>
  ask<Session>('GET', `/api/sessions/${part(id)}`, signal && { signal })
export const readSessions = (query: string, signal: AbortSignal) =>
  ask<SessionList>('GET', `/api/sessions?${query}`, { signal })

/** Asks again for what an answer has left out: the gateway ends it early if statements are large. */
export async function readStatements(
  id: string,
  limit: number,
  signal: AbortSignal,
): Promise<StatementsAnswer> {
  const statements: StatementsAnswer['statements'][number][] = []
  for (;;) {
    const range = `offset=${statements.length}&limit=${limit - statements.length}`
    const path = `/api/sessions/${part(id)}/statements?${range}`
    const found = await ask<StatementsAnswer>('GET', path, { signal })
    statements.push(...found.statements)
    const isAll = !found.has_more || found.statements.length === 0 || statements.length >= limit
    if (isAll) return { ...found, statements }
  }
}

/** Reads the newest sessions of the signed-in person. */
export async function readOwnSessions(signal: AbortSignal): Promise<readonly ListedSession[]> {
  const name = (person.peek()?.name ?? '').replaceAll(/[\\%_]/g, '\\$&')
  const asked = new URLSearchParams({ limit: '50', count: 'none', user: name })
  return (await readSessions(asked.toString(), signal)).data
}

/** Returns no runbooks when no connection has a repository. */
export async function readRunbooks(signal: AbortSignal): Promise<RunbookLists> {
  try {
    return await ask<RunbookLists>('GET', '/api/runbooks?list_connections=true', { signal })
  } catch (error) {
    if (error instanceof Refused && error.code === 'runbooks-not-configured')
      return { errors: [], repositories: [] }
    throw error
  }
}

export interface RunRequest {
  readonly repository: string
  readonly connection_name: string
  readonly file_name: string
  readonly parameters: Readonly<Record<string, string>>
  readonly jira_fields?: Readonly<Record<string, string>>
  readonly reason?: string
  /** Whether the gateway itself runs the session after its approval. */
  readonly when_approved: boolean
  /** `run`, or the id of the session of the first runbook. */
  readonly first?: string
  /** Whether the runbook is requested although its first one failed. */
  readonly despite_first?: boolean
  readonly client_args?: readonly string[]
  readonly env_vars?: Readonly<Record<string, string>>
}

/** Required values may be missing. */
export const previewRunbook = (body: RunRequest, signal: AbortSignal) =>
  ask<Rendered>('POST', '/api/runbooks/render', { body: { ...body, incomplete: true }, signal })
/** Answers immediately: the page follows the output separately. */
export const runRunbook = (body: RunRequest) =>
  ask<Execution>('POST', '/api/runbooks/exec', { body, headers: { prefer: 'respond-async' } })
export interface ScriptRequest {
  readonly connection: string
  readonly script: string
  readonly reason?: string
  readonly jira_fields?: Readonly<Record<string, string>>
  /** Whether the gateway itself runs the session after its approval. */
  readonly when_approved: boolean
}

export const foreseeScript = (body: { connection: string; script?: string }, signal: AbortSignal) =>
  ask<ForeseenScript>('POST', '/api/sessions/foresee', { body, signal })
export const readDatabaseSchema = (body: { connection: string; fresh: boolean }) =>
  ask<DatabaseSchema>('POST', '/api/sessions/schema', { body })
/** Answers immediately: the page follows the output separately. */
export const runScript = (body: ScriptRequest) =>
  ask<Execution>('POST', '/api/sessions', { body, headers: { prefer: 'respond-async' } })
export const runApproved = (session: string) =>
  ask<Execution>('POST', `/api/sessions/${part(session)}/exec`, { headers: { prefer: 'respond-async' } })
export const stopSession = (id: string) => ask<unknown>('POST', `/api/sessions/${part(id)}/kill`)

export interface Decision {
  readonly status: 'APPROVED' | 'REJECTED' | 'REVOKED'
  readonly rejection_reason?: string
  readonly comment?: string
  readonly time_window?: {
    readonly configuration: { readonly start_time: string; readonly end_time: string }
  }
  readonly force_review?: boolean
}

export const decide = (review: string, body: Decision) =>
  ask<Review>('PUT', `/api/reviews/${part(review)}`, { body })

export const runSchedule = (name: string) => ask<ScheduleRun>('POST', `/api/schedules/${part(name)}/run`)
export const changeSchedule = (name: string, what: 'pause' | 'resume') =>
  ask<Schedule>('POST', `/api/schedules/${part(name)}/${what}`)
