import { shownReason, type SessionRequest } from '../sessions/session-request.ts'
import { mcpOrigin } from '../sessions/mcp-labels.ts'
import { shownPlaces } from '../sessions/shown-places.ts'
import type { WaitingSession } from '../sessions/sessions.ts'
import type { EarlierRuns, FactRows } from './fact-rows.ts'
import type { RequestFacts, RequestSummary, ShownRequest } from './review.ts'

/** Bounds of the summary, which every list of reviews has. */
const MAX_VALUES = 8
const MAX_NAME = 60
const MAX_VALUE = 80
const MAX_LINE = 160

interface ShownOf {
  readonly request: SessionRequest
  readonly waiting: WaitingSession
  /** Names of all connections. */
  readonly connections: readonly string[]
  readonly earlier: EarlierRuns
  readonly digest: ShownRequest['scriptDigest']
}

/** Returns what reviewers see of a request besides its session. No part contains a secret. */
export function shownRequest({ request, waiting, connections, earlier, digest }: ShownOf): ShownRequest {
  const { clientArgs, envVars, script, rendered, bringsInput } = request
  const machine = mcpOrigin(request.labels)
  const marks = rendered === undefined ? [] : shownPlaces(script, rendered.places, waiting.shown)
  return {
    scriptDigest: digest,
    clientArgs: clientArgs.map((argument) => waiting.shown(Buffer.from(argument)).toString()),
    ...(machine !== undefined && { machine }),
    ...shownReason(request, waiting.shown),
    envVars: [...envVars.keys()].sort(),
    ...(script.length > 0 && { summary: summaryOf(request, waiting) }),
    ...(marks.length > 0 && { marks }),
    ...(rendered !== undefined && { runbookSha256: rendered.sha256 }),
    facts: factsOf(earlier, connections),
    ...(bringsInput !== undefined && { bringsInput }),
  }
}

/** Reads what has run before this request. */
export function earlierRuns(rows: FactRows, request: SessionRequest): EarlierRuns {
  const { user, connection, verb, rendered } = request
  const { runbookFile: file, runbookRepository: repository } = request.labels
  if (rendered !== undefined && file !== undefined) return rows.runsOfRunbook(file, repository, user)
  return rows.runsOfUser(user, connection.name, verb === 'connect' ? 'terminal' : 'script')
}

function factsOf({ isFirst, connections: known }: EarlierRuns, connections: readonly string[]): RequestFacts {
  return {
    ...(isFirst !== undefined && { isFirst }),
    ...(known !== undefined && { newConnections: connections.filter((name) => !known.has(name)).length }),
  }
}

function summaryOf({ labels, script, rendered }: SessionRequest, { shown }: WaitingSession): RequestSummary {
  if (rendered !== undefined) {
    const { runbookParameters: parameters = '{}' } = labels
    const all = Object.entries(JSON.parse(parameters) as Record<string, string>)
    const values = all.slice(0, MAX_VALUES).map(([name, value]) => ({
      name: cut(name, MAX_NAME),
      value: cut(shown(Buffer.from(value)).toString(), MAX_VALUE),
    }))
    return { values, ...(all.length > MAX_VALUES && { more: all.length - MAX_VALUES }) }
  }
  const text = shown(script).toString()
  return { firstLine: cut(titleLine(text), MAX_LINE), lines: text.replace(/\n$/, '').split('\n').length }
}

/**
 * Returns the first line that is no comment, because approvers read it as the request's name: a comment could say
 * "Approved by zoe". A script of comments alone has its first line.
 */
function titleLine(text: string): string {
  // MySQL and MariaDB run what is in comments that begin with `/*!` or `/*M!`.
  const skipped = /\s+|(?:--|#)[^\n]*|\/\*(?!M?!)[^]*?\*\//y
  let at = 0
  while (skipped.test(text)) at = skipped.lastIndex
  const line = /\S[^\n]*/
  return (line.exec(text.slice(at)) ?? line.exec(text))?.[0].trimEnd() ?? ''
}

/** Cuts between characters, never within a surrogate pair. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
