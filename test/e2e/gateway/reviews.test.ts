import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Gate } from '../../support/gate.ts'
import type { SessionView } from '../../support/scripted/rest.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

const REVIEWED = { name: 'reviewed', command: ['bash'], review: { groups: ['admin'], 'self-approval': true } }

it('what was approved runs once, whenever the gateway is killed: before its run it still runs, in it never again', async () => {
  await using site = await Site.start({ connections: [REVIEWED] })
  using gate = new Gate(site.place)
  const asked = async (script: string) => (await site.rest.script('reviewed', script)).body.session_id
  const approve = (sid: string) => site.rest.review(sid, 'APPROVED')
  const run = (sid: string) => site.rest.runApproved(sid)
  const pending = await asked('echo pending')
  const approved = await asked('echo approved; echo "$1"')
  await approve(approved)
  const cut = await asked(gate.script)
  await approve(cut)
  const answer = run(cut).catch((error: unknown) => error)
  await gate.reached()
  site.gateway.signal('SIGKILL')
  await site.gateway.ended()
  expect(await answer).toBeInstanceOf(Error)
  await site.startGateway()

  expect(await site.rest.session(cut)).toMatchObject({
    ...{ status: 'done', exit_code: 254, review: { status: 'EXECUTED' } },
  })
  expect(await run(cut)).toMatchObject({
    ...{ status: 403, body: { message: 'review not approved or already executed' } },
  })
  expect(await site.rest.session(approved)).toMatchObject({ status: 'ready', exit_code: null })
  await site.agent.says('stderr', /agent serving[^]*agent serving/)
  expect(await run(approved)).toMatchObject({ status: 200, body: { output: 'approved\n\n', exit_code: 0 } })
  expect((await run(approved)).status).toBe(403)
  expect(await site.rest.session(pending)).toMatchObject({ status: 'open', review: { status: 'PENDING' } })
  await approve(pending)
  expect(await run(pending)).toMatchObject({ status: 200, body: { output: 'pending\n', exit_code: 0 } })
})

it('what is to run when it is approved runs once at most, whenever the gateway is killed, and says when it has not', async () => {
  const named = (name: string) => ({ ...REVIEWED, name })
  const runbooks = { 'ops/mark.runbook.sh': 'echo batch >> "$TMPDIR/marks"' }
  await using site = await Site.start({ connections: [REVIEWED, named('b-1'), named('b-2')], runbooks })
  using gate = new Gate(site.place)
  const mark = (name: string) => `echo ${name} >> '${site.place.at('tmp/marks')}'`
  const marks = () => readFileSync(site.place.at('tmp/marks'), 'utf8').trim().split('\n').sort()
  const asked = async (script: string) =>
    (await site.rest.script('reviewed', script, { when_approved: true })).body.session_id
  const restarted = async () => {
    await site.killGateway()
    await site.startGateway()
  }
  const done = (sid: string) => waitFor(async () => (await site.rest.session(sid)).status === 'done')

  // Killed before anybody has decided, then in the run.
  const early = await asked(mark('early'))
  const cut = await asked(`${mark('cut')}; ${gate.script}`)
  await site.rest.review(cut, 'APPROVED')
  await gate.reached()
  await restarted()
  expect(await site.rest.session(cut)).toMatchObject({
    ...{ status: 'done', state: { name: 'gateway-lost' }, review: { status: 'EXECUTED' } },
  })
  await site.rest.review(early, 'APPROVED')
  await done(early)

  // Killed at the moment of the approval: whatever was on the disk then, it is not lost, and not run twice.
  const sids: string[] = []
  for (let round = 0; round < 2; round++) {
    const sid = await asked(mark(`round-${round}`))
    sids.push(sid)
    const answer = site.rest.review(sid, 'APPROVED').catch(() => 0)
    if (round % 2 === 1) await answer
    await restarted()
    if ((await site.rest.session(sid)).status === 'open')
      await site.rest.review(sid, 'APPROVED').catch(() => 0)
    await done(sid)
  }
  const body = { file_name: 'ops/mark.runbook.sh', connections: ['b-1', 'b-2'], when_approved: true }
  const batch = JSON.parse((await site.rest.send('POST', '/api/batches', JSON.stringify(body))).body) as {
    readonly id: string
    readonly review: { readonly session_id: string }
  }
  await restarted()
  await site.rest.review(batch.review.session_id, 'APPROVED')
  await waitFor(async () =>
    (await site.rest.send('GET', `/api/batches/${batch.id}`)).body.includes('"status":"done"'),
  )

  const once = new Set(marks().filter((name) => name !== 'batch'))
  expect(marks().filter((name) => name === 'batch')).toHaveLength(2)
  expect(marks()).toHaveLength(once.size + 2)
  for (const [round, sid] of sids.entries()) {
    const { state, exit_code: code } = (await site.rest.session(sid)) as SessionView & {
      state: { name: string }
    }
    if (code === 0) expect(once).toContain(`round-${round}`)
    else expect(['gateway-lost', 'agent-lost']).toContain(state.name)
  }
})
