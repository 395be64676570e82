import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { newReview, type Review } from '../../../src/gateway/reviews/review.ts'
import { VERSION_29 } from '../../../src/gateway/reviews/whole-reviews.ts'
import { openHistory } from '../../../src/gateway/rooms.ts'
import type { SessionRequest } from '../../../src/gateway/sessions/session-request.ts'
import { closeFile, openFile, type Connection } from '../../../src/gateway/store/sqlite.ts'
import { removeOlder } from '../../support/remove-older.ts'
import { ReviewSite, type Name } from './site.ts'

const ARGUMENTS = ['\u0001'.repeat(50_000), 'last']
const HALF_OF_A_PAIR = '\ud800'
/** More than the answer has for a short review with its connection and its groups. */
const LISTED_BYTES = 8 * 1024

describe('a review over REST', () => {
  let site: ReviewSite
  beforeAll(async () => {
    site = await ReviewSite.start()
  })
  afterAll(() => site[Symbol.asyncDispose]())

  type Fields = Readonly<Record<string, unknown>>
  const listed = async (sid: string) => {
    const { body } = await site.as('bea', 'GET', '/api/reviews')
    return (body as unknown as Fields[]).find(({ session }) => session === sid)
  }
  /** Without the facts that no list has. */
  const shown = async (sid: string) => {
    const { body } = await site.as('bea', 'GET', `/api/reviews/${sid}`)
    const { approvers: _, usual_wait: _wait, outcomes: _ends, marks: _marks, ...rest } = body
    return rest
  }

  it('is short in lists if it is long, and says so', async () => {
    const sid = await site.ask('echo long', 'both', { client_args: ARGUMENTS })
    const short = await listed(sid)
    expect(short).toMatchObject({ client_args: [], is_shortened: true, status: 'PENDING', owner: 'ann' })
    expect(JSON.stringify(short).length).toBeLessThan(LISTED_BYTES)
    const sessions = await site.as('ann', 'GET', '/api/sessions')
    const [session] = sessions.body['data'] as Fields[]
    expect(session).toMatchObject({ id: sid, review: { client_args: [], is_shortened: true } })
    const { is_shortened: _, ...rest } = short ?? {}
    expect(await shown(sid)).toEqual({ ...rest, client_args: ARGUMENTS })
    expect((await site.session(sid))['review']).toMatchObject({ client_args: ARGUMENTS })
  })

  it('is whole after each decision, and a comment alone can make it short', async () => {
    const sid = await site.ask('echo long', 'both', { client_args: ARGUMENTS })
    const comment = `${HALF_OF_A_PAIR}${'c'.repeat(9000)}`
    await site.say('bea', sid, 'APPROVED', { comment })
    const groups = (review: Fields | undefined) =>
      (review?.['review_groups_data'] as Fields[]).map(({ group, status, comment: said }) => [
        group,
        status,
        said,
      ])
    expect(groups(await shown(sid))).toEqual([
      ['dba', 'APPROVED', comment],
      ['sre', 'PENDING', undefined],
    ])
    expect(groups(await listed(sid))).toEqual([
      ['dba', 'APPROVED', undefined],
      ['sre', 'PENDING', undefined],
    ])
    await site.say('cid', sid, 'REJECTED', { rejection_reason: comment })
    expect(await shown(sid)).toMatchObject({ client_args: ARGUMENTS, rejection_reason: comment })
    expect(await listed(sid)).not.toHaveProperty('rejection_reason')
  })

  it('is marked as executed after its run, and stays whole', async () => {
    const args = ['-s', 'a'.repeat(5000)]
    const sid = await site.ask('echo "$1" | wc -c', 'one', { client_args: args })
    await site.say('bea', sid, 'APPROVED')
    expect((await site.run('ann', sid)).body).toMatchObject({ exit_code: 0, output: '5001\n' })
    expect(await shown(sid)).toMatchObject({ status: 'EXECUTED', client_args: args })
    expect(await listed(sid)).toMatchObject({ status: 'EXECUTED', client_args: [] })
  })

  it.each([
    ['record', 'whole_reviews'],
    ['request', 'whole_requests'],
  ])(
    'cannot be approved, also not by force, after a repair has lost its whole %s, but rejected',
    async (_, table) => {
      const metadata = Object.fromEntries(Array.from({ length: 5 }, (_, at) => [`m${at}`, 'm'.repeat(2000)]))
      const sid = await site.ask('echo long', 'one', { client_args: ARGUMENTS, metadata })
      const state = path.join(path.dirname(site.gateway.settingsFile), 'state')
      const { db } = openFile(path.join(state, 'history.sqlite'), undefined)
      db.exec(`DELETE FROM ${table} WHERE session = (SELECT key FROM sessions WHERE id = '${sid}')`)
      closeFile(db)
      const can = async (name: Name) => (await site.as(name, 'GET', `/api/reviews/${sid}`)).body['can']
      expect(await shown(sid)).toMatchObject({ is_shortened: true })
      expect(await can('bea')).toMatchObject({ approve: false, reject: true })
      expect(await can('eve')).toMatchObject({ force: false, reject: true })
      for (const [name, more] of [['bea'], ['eve', { force_review: true }]] as const) {
        const { status, body } = await site.say(name, sid, 'APPROVED', more)
        expect([status, body['code']]).toEqual([400, 'review-wrong-state'])
        expect(body['message']).toContain('lost in a repair of the history')
      }
      await site.say('bea', sid, 'REJECTED')
      expect(await shown(sid)).toMatchObject({ status: 'REJECTED', is_shortened: true })
    },
  )

  it('is whole in lists if it has at most 4 KiB', async () => {
    const sid = await site.ask('echo short', 'one', { client_args: ['a'.repeat(2000)] })
    expect(await listed(sid)).toEqual(await shown(sid))
  })
})

describe('a long review in the file', () => {
  let folder: string
  let file: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'whole-reviews-'))
    file = path.join(folder, 'history.sqlite')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const BEGIN = new Date('2026-01-01T00:00:00Z')
  const names = Array.from({ length: 500 }, (_, at) => `connection-${at}`)

  function reviewOf(sid: string, clientArgs: readonly string[], isBatch = false): Review {
    const made = newReview({
      request: { connection: { name: 'db' }, user: 'ann', verb: 'exec', labels: {} } as SessionRequest,
      rule: {
        review: {
          ...{ groups: ['dba'], minimum: 1, expiresMs: 1, forceGroups: [], selfApproval: false },
          ...{ skipGroups: [] },
        },
      } as never,
      ...{ asker: undefined, accessMs: 0, sid },
      shown: { scriptDigest: { kind: 'sha256', hex: 'ab' }, clientArgs, envVars: ['envvar:A'] },
      batch: isBatch
        ? { id: 'b', waves: [names.slice(0, 1), names.slice(1)], parallel: 5, threshold: 1 }
        : undefined,
    })
    return { ...made, rejectionReason: HALF_OF_A_PAIR.repeat(isBatch ? 1 : 2000) }
  }

  function inFile<T>(work: (db: Connection) => T): T {
    const { db } = openFile(file, undefined)
    try {
      return work(db)
    } finally {
      closeFile(db)
    }
  }
  const rows = () =>
    inFile((db) => [
      db.prepare('SELECT session, record FROM reviews ORDER BY session').raw().all([]),
      db.prepare('SELECT session, record FROM whole_reviews ORDER BY session').raw().all([]),
    ])

  function fill(sealed: Buffer | null = null): Review[] {
    const history = openHistory(file)
    const reviews = [
      reviewOf('short', ['a'], false),
      reviewOf('long', ARGUMENTS),
      reviewOf('batch', ['a'], true),
    ]
    for (const review of reviews) {
      history.begin({
        ...{ id: review.sessionId, origin: 'client-api', verb: 'exec', user: 'ann', connection: 'db' },
        ...{ connectionType: 'custom', startedAt: BEGIN, script: Buffer.from(''), labels: {}, metadata: {} },
      })
      history.write((tables) => tables.reviews.insert(review, sealed))
    }
    history.close()
    return reviews
  }

  it('lacks in lists what is long, and keeps the number of connections of a batch', () => {
    const [, long, batch] = fill()
    const history = openHistory(file)
    const found = history.read(({ reviews }) => reviews.list(undefined))
    const single = history.read(({ reviews }) => reviews.find('batch'))
    history.close()
    const { rejectionReason: _, ...rest } = { ...long }
    expect(found[1]).toEqual({
      ...rest,
      isShort: true,
      shown: { ...long?.shown, clientArgs: [], envVars: [] },
    })
    expect(found[0]?.batch).toEqual({ id: 'b', waves: [], connections: 500, parallel: 5, threshold: 1 })
    expect(found[0]?.rejectionReason).toBe(HALF_OF_A_PAIR)
    expect(single).toEqual(batch)
  })

  it('is written whole by the repair after a lost run', () => {
    const [, long] = fill()
    const history = openHistory(file)
    const ran = { ...reviewOf('long', ARGUMENTS), ...long, status: 'PROCESSING' } as const
    history.write(({ reviews }) => reviews.update(ran, 'PENDING'))
    history.write(({ reviews }) => {
      for (const one of reviews.processing()) reviews.update({ ...one, status: 'EXECUTED' }, 'PROCESSING')
    })
    const after = history.read(({ reviews }) => reviews.find('long'))
    history.close()
    expect(after).toEqual({ ...ran, status: 'EXECUTED' })
  })

  it('is exported whole up to 64 KiB', () => {
    const [, , batch] = fill()
    const history = openHistory(file)
    const exported = [...history.walk({ limit: 100, offset: 0 }, 0)]
      .flat()
      .map(({ session }) => session.review)
    history.close()
    expect(exported.map((review) => review?.isShort)).toEqual([undefined, true, undefined])
    expect(exported[2]).toEqual(batch)
  })

  /** Brings the file back to the version before long reviews were moved, and updates it. */
  const updateAnew = () =>
    inFile((db) =>
      db.exec(`PRAGMA secure_delete = ON;
               UPDATE reviews SET record = (SELECT w.record FROM whole_reviews w WHERE w.session = reviews.session)
                 WHERE session IN (SELECT session FROM whole_reviews);
               DROP TRIGGER whole_reviews_of_removed_sessions; DROP TABLE whole_reviews;
               PRAGMA secure_delete = OFF; ${VERSION_29}`),
    )

  it('is the same in an older file after its update', () => {
    fill()
    const before = rows()
    expect(before[1]).toHaveLength(3)
    updateAnew()
    expect(rows()).toEqual(before)
  })

  it('leaves no copy of its sealed request behind when an older file is updated', () => {
    const sealed = randomBytes(30_000)
    fill(sealed)
    updateAnew()
    const history = openHistory(file)
    history.write(({ reviews }) => {
      for (const { id } of reviews.list(undefined)) reviews.dropRequest(id)
    })
    history.close()
    expect(readFileSync(file).includes(sealed.subarray(-64))).toBe(false)
  })

  it('is removed with its session', () => {
    const reviews = fill()
    const history = openHistory(file)
    for (const { sessionId } of reviews)
      history.finish(sessionId, { exitCode: 0, truncatedBytes: 0, endedAt: BEGIN })
    expect(removeOlder(history, new Date('2026-02-01'))).toBe(3)
    history.close()
    expect(rows()).toEqual([[], []])
  })
})
