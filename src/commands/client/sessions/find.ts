import { oneLine } from '../../../basics/text/one-line.ts'
import type { Account } from '../../../client/account/account.ts'
import { listSessions, type RecordedSession, type SessionFilter } from '../../../client/rest/sessions.ts'
import { exitCodes, Failure } from '../../failure.ts'

/** Sessions per page, as gateways give them. */
const PAGE = 100
/** How many of the newest sessions are searched for an id. */
const SEARCHED = 1000
const WHOLE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Newest first, page by page. @throws ApiError */
export async function* newest(
  account: Account,
  filter: Pick<SessionFilter, 'connection' | 'user'>,
  count: number,
): AsyncGenerator<RecordedSession, void, undefined> {
  for (let offset = 0; offset < count; offset += PAGE) {
    const limit = Math.min(PAGE, count - offset)
    const { sessions, hasMore } = await listSessions(account, { ...filter, limit, offset })
    yield* sessions
    if (!hasMore || sessions.length === 0) return
  }
}

/** The id that begins so. @throws Failure, exit code 64, when there is none or more than one; ApiError */
export async function wholeId(account: Account, text: string): Promise<string> {
  if (WHOLE_ID.test(text)) return text.toLowerCase()
  const found: RecordedSession[] = []
  if (text !== '')
    for await (const session of newest(account, {}, SEARCHED))
      if (session.id.toLowerCase().startsWith(text.toLowerCase())) found.push(session)
  const [only, ...others] = found
  if (only === undefined)
    throw new Failure(
      `none of the ${SEARCHED} newest sessions has an id that begins with ${text}`,
      exitCodes.usage,
    )
  if (others.length === 0) return only.id
  const some = found.slice(0, 5).map(({ id, connection }) => `${id} (${connection})`)
  throw new Failure(
    `${found.length} sessions have an id that begins with ${text}: ${some.map(oneLine).join(', ')}${found.length > some.length ? ', ...' : ''}`,
    exitCodes.usage,
  )
}
