import { NO_EXIT_CODE } from '../../basics/exit-code.ts'
import { parseGoDuration } from '../../golang/text/duration.ts'
import { hoopWords } from '../../wire/gateway-words.ts'
import { encodeAgentMessage } from '../../wire/messages/from-agent.ts'
import { encodeApproval } from '../../wire/messages/from-client.ts'
import type { SessionId } from '../../wire/messages/message.ts'
import type { Packet } from '../../wire/packet.ts'
import type { ClientCall } from '../agents/client-call.ts'
import type { ApprovedRuns } from '../reviews/approved-runs.ts'
import { deniedText } from '../reviews/denied-text.ts'
import type { Review } from '../reviews/review.ts'
import type { Reviews } from '../reviews/reviews.ts'
import type { ReviewRule } from '../reviews/rules.ts'
import type { TerminalAccess } from '../reviews/terminal-access.ts'
import type { GatewaySession } from '../sessions/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { GatewayUser } from '../identity.ts'
import { decodeClient, StreamRefused } from './client.ts'
import type { Opening } from './admission.ts'

export interface ApprovalServices {
  readonly sessions: Sessions
  readonly reviews: Reviews
  readonly runs: ApprovedRuns
  readonly access: TerminalAccess
  /** Public address of this gateway, for links. */
  readonly webUrl: () => string
}

export interface ClientStream {
  readonly call: ClientCall
  readonly packets: AsyncIterator<Packet, void>
  readonly user: GatewayUser
}

/** Maximum number of clients that wait for an approval. A waiting client also counts as an open stream. */
const MAX_WAITING = 100
const MAX_WAITING_OF_ONE_USER = 20
const MINUTE_MS = 60_000
/** Default time of a terminal, as in hoop's gateway. */
const USUAL_ACCESS_MS = 15 * MINUTE_MS
const MAX_ACCESS_MS = 48 * 60 * MINUTE_MS
/**
 * Maximum time until the packet that opens the session arrives. The time begins with the stream, and again
 * with the approval. Clients send this packet at once.
 */
const OPEN_MS = 30_000

export class Approvals {
  readonly #services: ApprovalServices
  /** Names of the users whose clients wait. */
  readonly #waiting: string[] = []

  constructor(services: ApprovalServices) {
    this.#services = services
  }

  /**
   * Returns undefined if the session was rejected or the client has left. The stream has then ended.
   * @throws StreamRefused, RequestRefused, HistoryError
   */
  async session(stream: ClientStream, asked: Opening, rule: ReviewRule): Promise<GatewaySession | undefined> {
    const { request } = asked
    const { reviews, access } = this.#services
    const isTerminal = request.verb === 'connect'
    const accessMs = isTerminal ? accessTime(asked.accessDuration, rule) : 0
    const opened = isTerminal ? await access.open(request) : undefined
    if (opened !== undefined) return opened
    const giveBack = this.#takePlace(stream.user.name)
    try {
      const review = await reviews.ask(request, rule, { accessMs })
      using _ = reviews.attend(review.sessionId)
      return await this.#afterDecision(stream, asked, review).finally(() => {
        // A terminal cannot run without its client, so `reviews.left` ends the terminal's session. The call
        // does not end a session that already runs. An approved script can run without its client.
        if (isTerminal) reviews.left(review.sessionId)
      })
    } finally {
      giveBack()
    }
  }

  async #afterDecision(
    stream: ClientStream,
    { request }: Opening,
    asked: Review,
  ): Promise<GatewaySession | undefined> {
    const { call, user } = stream
    const { runs, access, webUrl } = this.#services
    const sid = asked.sessionId as SessionId
    call.send(encodeApproval(sid, { kind: 'waiting', url: `${webUrl()}/sessions/${sid}` }))
    const opening = new Reopening(stream)
    const review = await this.#decision(sid, opening)
    if (review === undefined) return undefined
    if (review.status === 'REJECTED' || review.status === 'REVOKED') {
      deny(call, review)
      return undefined
    }
    opening.approve()
    call.send(encodeApproval(sid, { kind: 'approved' }))
    const isOpened = await inTime(call, () => opening.opened)
    if (!isOpened) return undefined
    if (request.verb !== 'exec') return access.openWaiting(request, review)
    return (await runs.startSoon(sid, user)).session
  }

  /** Returns undefined when the client leaves first. */
  async #decision(sid: string, opening: Reopening): Promise<Review | undefined> {
    const over = new AbortController()
    try {
      const left = opening.opened.then(() => undefined)
      return await Promise.race([this.#services.reviews.decided(sid, over.signal), left])
    } finally {
      over.abort()
    }
  }

  #takePlace(user: string): () => void {
    const mine = this.#waiting.filter((name) => name === user)
    if (this.#waiting.length >= MAX_WAITING || mine.length >= MAX_WAITING_OF_ONE_USER)
      throw new StreamRefused(
        'too-many-clients',
        `too many clients wait for approval: at most ${MAX_WAITING}, and ${MAX_WAITING_OF_ONE_USER} per user; try again later`,
      )
    this.#waiting.push(user)
    return () => void this.#waiting.splice(this.#waiting.indexOf(user), 1)
  }
}

/**
 * Reads what a client sends while it waits. After the approval, the client sends the packet that opens the
 * session again.
 */
class Reopening {
  /** Resolves to false when the client has left. Rejects with StreamRefused after an unexpected packet. */
  readonly opened: Promise<boolean>
  #isApproved = false

  constructor({ packets }: ClientStream) {
    this.opened = this.#read(packets)
    // Prevents an unhandled rejection when `session` no longer waits for this promise.
    this.opened.catch(() => undefined)
  }

  approve(): void {
    this.#isApproved = true
  }

  async #read(packets: AsyncIterator<Packet, void>): Promise<boolean> {
    for (;;) {
      const { done, value } = await packets.next()
      if (done === true) return false
      const { kind } = decodeClient(value)
      if (kind === 'open' && this.#isApproved) return true
      if (kind !== 'keepalive')
        throw new StreamRefused(
          'invalid-request',
          `${value.type} was received before the session was approved`,
        )
    }
  }
}

function deny(call: ClientCall, review: Review): void {
  const sid = review.sessionId as SessionId
  const counts = { truncatedBytes: 0, redactedBytes: 0 }
  call.send(
    encodeAgentMessage({
      kind: 'closed',
      sid,
      exitCode: NO_EXIT_CODE,
      message: deniedText(review),
      ...counts,
    }),
  )
  call.end()
}

/**
 * Returns the time in ms.
 * @throws StreamRefused if the text is not a duration, or the duration is too long
 */
function accessTime(text: string | undefined, { review }: ReviewRule): number {
  const { accessMaxMs } = review
  if (text === undefined) return Math.min(USUAL_ACCESS_MS, accessMaxMs)
  const ms = parseGoDuration(text)
  if (ms === undefined || ms < 1)
    throw new StreamRefused('invalid-request', hoopWords.invalidAccessDuration(text))
  if (ms > MAX_ACCESS_MS) throw new StreamRefused('invalid-request', hoopWords.accessTooLong)
  if (ms > accessMaxMs)
    throw new StreamRefused('invalid-request', hoopWords.accessAboveMax(String(accessMaxMs / 1000)))
  return Math.floor(ms)
}

/** Ends the call if `open` does not settle within `OPEN_MS`. */
export async function inTime<T>(call: ClientCall, open: () => Promise<T>): Promise<T> {
  const late = setTimeout(
    () => call.fail('opening-timeout', `the session was not opened within ${OPEN_MS / 1000} s`),
    OPEN_MS,
  )
  try {
    return await open()
  } finally {
    clearTimeout(late)
  }
}
