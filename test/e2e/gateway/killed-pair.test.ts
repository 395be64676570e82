import { readFileSync, rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

// The built gateway, killed (SIGKILL) around and between the two runs of a pair. Each run writes a line into a file.

const DELETE = 'ops/delete.runbook.sh'
const DRY = 'ops/delete.dry.runbook.sh'

type Json = Readonly<Record<string, unknown>>

let site: Site
beforeEach(async () => {
  const review = { groups: ['admin'], 'self-approval': true }
  site = await Site.start({
    connections: [
      { name: 'shop', command: ['bash'] },
      {
        name: 'asked',
        command: ['bash'],
        review,
        runbooks: { repository: 'books', review: [{ path: 'ops/*.dry.*', groups: [] }] },
      },
    ],
    runbooks: {
      [DELETE]: `{{/* first: ${DRY} */}}\n{{ .id | asenv "ID" }}\necho "deleted $ID" | tee -a "$TMPDIR/marks"`,
      [DRY]:
        '{{ .id | asenv "ID" }}\necho "would delete $ID" | tee -a "$TMPDIR/marks"\nwhile [ "$ID" = slow ] && [ -e "$TMPDIR/gate" ]; do sleep 0.05; done',
    },
  })
  site.place.write('tmp/gate', '')
  site.place.write('tmp/marks', '')
})
afterEach(() => site[Symbol.asyncDispose]())

const marks = (id: string) =>
  readFileSync(site.place.at('tmp/marks'), 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(` ${id}`))

async function restarted(): Promise<void> {
  await site.killGateway()
  await site.startGateway()
}

async function asked(id: string, first: string, more: object = {}): Promise<Json & { status: number }> {
  const body = {
    file_name: DELETE,
    connection_name: 'shop',
    repository: 'books',
    parameters: { id },
    first,
    ...more,
  }
  const reply = await site.rest.send('POST', '/api/runbooks/exec', JSON.stringify(body))
  return { ...(JSON.parse(reply.body) as Json), status: reply.status }
}

const shown = async (id: unknown) =>
  JSON.parse((await site.rest.send('GET', `/api/sessions/${String(id)}`)).body) as Json

describe('a gateway that is killed', () => {
  it('between the two runs goes on with the second one, which has this first run and no other', async () => {
    const first = String((await asked('1', 'run'))['session_id'])
    const other = String((await asked('2', 'run'))['session_id'])
    await restarted()
    expect(await asked('1', other)).toMatchObject({ status: 409, code: 'first-void' })
    const second = await asked('1', first)
    expect(second).toMatchObject({ exit_code: 0, output: 'deleted 1\n' })
    expect(marks('1')).toEqual(['would delete 1', 'deleted 1'])
    await restarted()
    expect(await shown(second['session_id'])).toMatchObject({ first: { session: first, exit_code: 0 } })
    expect(await shown(first)).toMatchObject({ second: { session: second['session_id'] } })
    expect(await asked('1', first)).toMatchObject({ status: 409, code: 'first-void' })
    expect(marks('1')).toHaveLength(2)
  })

  it('during the first run has no dry run that succeeded, and begins nothing by itself', async () => {
    const running = asked('slow', 'run').catch(() => undefined)
    await waitFor(() => marks('slow').length === 1)
    const { data } = JSON.parse((await site.rest.send('GET', '/api/sessions?limit=1')).body) as {
      data: [{ id: string }]
    }
    const [{ id: first }] = data
    await restarted()
    await running
    rmSync(site.place.at('tmp/gate'))
    expect(await shown(first)).toMatchObject({ state: { name: 'gateway-lost' }, second: { session: null } })
    expect(await asked('slow', first)).toMatchObject({ status: 409, code: 'first-failed' })
    expect(marks('slow')).toEqual(['would delete slow'])
  })

  it('while the second one waits for approval shows the same first run to its approver, and runs it once', async () => {
    const where = { connection_name: 'asked' }
    const first = (await asked('3', 'run', where))['session_id']
    const waiting = await asked('3', String(first), { ...where, when_approved: true })
    expect(waiting['has_review']).toBe(true)
    await restarted()
    const sid = String(waiting['session_id'])
    const review = JSON.parse((await site.rest.send('GET', `/api/reviews/${sid}`)).body) as Json
    expect(review['first']).toMatchObject({ session: first, file: DRY, state: { name: 'succeeded' } })
    await site.rest.review(sid, 'APPROVED')
    await waitFor(async () => (await shown(sid))['status'] === 'done')
    expect(marks('3')).toEqual(['would delete 3', 'deleted 3'])
  })
})
