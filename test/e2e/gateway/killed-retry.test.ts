import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BatchAnswer } from '../../../src/contract/batches.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

// The built gateway, killed (SIGKILL) at each step of a retry. Each run writes its connection into a file.

const PLACES = ['b-1', 'b-2', 'b-3', 'b-4']
const SCRIPT = `
[ -e "$TMPDIR/broken" ] && exit 3
echo "$PLACE" >> "$TMPDIR/marks"
if [ -p "$TMPDIR/gate" ]; then read -r _ < "$TMPDIR/gate"; fi
`

let site: Site
beforeEach(async () => {
  const review = { groups: ['admin'], 'self-approval': true }
  const connections = [...PLACES, 'reviewed'].map((name) => ({
    ...{ name, command: ['bash'], env: { PLACE: name } },
    ...(name === 'reviewed' && { review }),
  }))
  site = await Site.start({ connections, runbooks: { 'ops/mark.runbook.sh': SCRIPT } })
  execFileSync('mkfifo', [site.place.at('tmp/gate')])
  site.place.write('tmp/marks', '')
})
afterEach(() => site[Symbol.asyncDispose]())

const marks = () => readFileSync(site.place.at('tmp/marks'), 'utf8').split('\n').filter(Boolean)
const release = () => writeFile(site.place.at('tmp/gate'), '\n')
const restarted = async () => {
  await site.killGateway()
  await site.startGateway()
}

async function send(method: 'GET' | 'POST', path: string, body?: object): Promise<BatchAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body)
  const answer = await site.rest.send(method, path, text)
  if (answer.status >= 300) throw new Error(answer.body)
  return JSON.parse(answer.body) as BatchAnswer
}

const shown = (id: string) => send('GET', `/api/batches/${id}`)
const retried = (id: string) => send('POST', `/api/batches/${id}/retry`, {})

async function ended(id: string): Promise<BatchAnswer> {
  let batch = await shown(id)
  await waitFor(async () => ['done', 'stopped'].includes((batch = await shown(id)).status))
  return batch
}

/** A batch whose runs have all failed by themselves, without a mark. */
async function failedBatch(connections: readonly string[]): Promise<string> {
  site.place.write('tmp/broken', '')
  const terms = { waves: [1, 1, 'rest'], parallel: 1, stop_after: '100%', when_approved: true }
  const { id, review } = await send('POST', '/api/batches', {
    file_name: 'ops/mark.runbook.sh',
    connections,
    ...terms,
  })
  if (review !== null) await site.rest.review(review.session_id, 'APPROVED')
  const { counts } = await ended(id)
  expect(counts).toMatchObject({ total: connections.length, failed: connections.length })
  rmSync(site.place.at('tmp/broken'))
  return id
}

/** Retries the newest batch until there is nothing left that failed or never began. Returns the last batch. */
async function finished(id: string): Promise<BatchAnswer> {
  rmSync(site.place.at('tmp/gate'), { force: true })
  let batch = await ended(id)
  for (;;) {
    const next = batch.retried_by ?? (batch.runs.some(isLeft) ? (await retried(batch.id)).id : undefined)
    if (next === undefined) return batch
    batch = await ended(next)
  }
}

const isLeft = ({ retry_group: group }: BatchAnswer['runs'][number]) =>
  group === 'failed' || group === 'never-began'
const groupsOf = ({ runs }: BatchAnswer) => runs.map(({ retry_group: group }) => group)

describe('a gateway that is killed during a retry', () => {
  it.each([0, 1, 2, 3])(
    'after %i runs, in the next one, offers only what never began, and no connection runs twice',
    async (done) => {
      const origin = await failedBatch(PLACES)
      const { id } = await retried(origin)
      for (let run = 0; run < done; run++) {
        await waitFor(() => marks().length === run + 1)
        await release()
      }
      await waitFor(() => marks().length === done + 1)
      await restarted()
      const batch = await shown(id)
      expect(batch.status).toBe(done === 3 ? 'done' : 'stopped')
      expect(groupsOf(batch)).toEqual(
        PLACES.map((_, at) => (at < done ? null : at === done ? 'may-have-run' : 'never-began')),
      )
      await finished(origin)
      expect(marks()).toEqual(PLACES)
    },
  )

  it('before its answer, or at its answer, has made one new batch or none, and no connection runs twice', async () => {
    for (const isAwaited of [false, true, false, true]) {
      site.place.write('tmp/marks', '')
      const origin = await failedBatch(PLACES)
      const answer = retried(origin).catch(() => undefined)
      const made = isAwaited ? await answer : undefined
      await restarted()
      await answer
      const { retried_by: id } = await shown(origin)
      if (isAwaited) expect(id).toBe(made?.id)
      if (id !== null) expect((await shown(id)).retry_of).toBe(origin)
      await finished(origin)
      expect(new Set(marks()).size).toBe(marks().length)
      execFileSync('mkfifo', [site.place.at('tmp/gate')])
    }
  })

  it('while the retry waits for approval, lets it wait on; in the approved run, runs nothing again', async () => {
    const all = ['reviewed', ...PLACES]
    const origin = await failedBatch(all)
    const { id, status, review } = await retried(origin)
    expect(status).toBe('waiting')
    await restarted()
    expect((await shown(id)).status).toBe('waiting')
    expect((await site.rest.send('POST', `/api/batches/${origin}/retry`, '{}')).status).toBe(409)
    await site.rest.review(review?.session_id ?? '', 'APPROVED')
    await send('POST', `/api/batches/${id}/exec`)
    await waitFor(() => marks().length === 1)
    await restarted()
    expect(groupsOf(await shown(id))).toEqual(['may-have-run', ...PLACES.map(() => 'never-began')])
    await finished(origin)
    expect(marks()).toEqual(all)
  })
})
