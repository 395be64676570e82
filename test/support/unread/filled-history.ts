import path from 'node:path'
import { newReview, type Review } from '../../../src/gateway/reviews/review.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import type { History } from '../../../src/gateway/history/history.ts'
import type { SessionRequest } from '../../../src/gateway/sessions/session-request.ts'
import { beginLine, endLine } from '../../../src/gateway/sessions/statements/lines.ts'

/** Ids of the sessions with long parts. */
export const FILLED = { reviewed: 'reviewed-0', statements: 'statements', output: 'output' } as const

/** Each character takes six bytes of JSON. */
const CONTROL = '\u0001'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface Filling {
  readonly reviews: number
  /** Sessions among them, the newest ones, whose requests are long, too. */
  readonly long: number
  readonly labelBytes: number
}

/** Fills a state folder with what makes answers large: long requests, reviews, statements and outputs. */
export function fillHistory(state: string, { reviews, long, labelBytes }: Filling): void {
  const history = openHistory(path.join(state, 'history.sqlite'))
  try {
    fillStatements(history)
    fillOutput(history)
    for (let at = reviews - 1; at >= 0; at--) fillReviewed(history, at, at < long ? labelBytes : 0)
  } finally {
    history.close()
  }
}

function begin(history: History, id: string, startedAt: Date, more: object = {}): void {
  history.begin({
    ...{ id, user: 'admin', connection: 'bash', connectionType: 'custom', origin: 'client', verb: 'exec' },
    ...{ labels: {}, metadata: {}, script: Buffer.from('true'), startedAt },
    ...more,
  })
}

function end(history: History, id: string, startedAt: Date): void {
  history.finish(id, { exitCode: 0, truncatedBytes: 0, beganAt: startedAt, endedAt: startedAt })
}

function fillStatements(history: History): void {
  const at = new Date(Date.now() - 2 * DAY_MS)
  begin(history, FILLED.statements, at, { verb: 'connect', isPort: true, connectionType: 'database' })
  const line = Buffer.from(beginLine('1', `select '${CONTROL.repeat(16_000)}'`))
  for (let count = 0; count < 1000; count++) {
    history.append(FILLED.statements, 'o', line, count)
    history.append(
      FILLED.statements,
      'o',
      Buffer.from(
        endLine('1', { outcome: 'done', ms: 1, rows: 1, error: '1064', errorText: '"'.repeat(512) }),
      ),
      count,
    )
  }
  end(history, FILLED.statements, at)
}

function fillOutput(history: History): void {
  const at = new Date(Date.now() - 2 * DAY_MS)
  begin(history, FILLED.output, at)
  for (let count = 0; count < 256; count++)
    history.append(FILLED.output, 'o', Buffer.alloc(64 * 1024, 'o'), count)
  end(history, FILLED.output, at)
}

/** A session that has run after its approval. Without `labelBytes` its review is short enough for lists to show it whole. */
function fillReviewed(history: History, at: number, labelBytes: number): void {
  const id = `reviewed-${at}`
  const startedAt = new Date(Date.now() - HOUR_MS - at * 1000)
  const isLong = labelBytes > 0
  const metadata = Object.fromEntries(
    Array.from({ length: isLong ? 20 : 0 }, (_, field) => [`field-${field}`, CONTROL.repeat(2400)]),
  )
  const labels = {
    ...{ runbookFile: 'ops/long.sh', runbookRepository: 'books', runbookTitle: 't'.repeat(1000) },
    ...{
      runbookCommit: 'c'.repeat(40),
      runbookParameters: JSON.stringify({ text: 'p'.repeat(isLong ? labelBytes : 6000) }),
    },
  }
  begin(history, id, startedAt, { labels, metadata, origin: 'client-api-runbooks' })
  history.write((tables) =>
    tables.reviews.insert(reviewOf(id, isLong ? CONTROL.repeat(64_000) : 'a'.repeat(2900)), null),
  )
  end(history, id, startedAt)
}

function reviewOf(sid: string, argument: string): Review {
  const review = newReview({
    request: { connection: { name: 'bash' }, user: 'admin', verb: 'exec', labels: {} } as SessionRequest,
    rule: {
      path: undefined,
      needs: undefined,
      review: {
        ...{ groups: ['admin', 'dba'], minimum: 1, expiresMs: DAY_MS, forceGroups: [], selfApproval: true },
        skipGroups: [],
      },
    } as unknown as Parameters<typeof newReview>[0]['rule'],
    ...{ asker: undefined, accessMs: 0, sid, batch: undefined },
    shown: { scriptDigest: { kind: 'sha256', hex: 'a'.repeat(64) }, clientArgs: [argument], envVars: [] },
  })
  return { ...review, status: 'EXECUTED', claimedAt: Date.now() }
}
