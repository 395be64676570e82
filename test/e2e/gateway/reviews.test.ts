import { expect, it } from 'vitest'
import { Gate } from '../../support/gate.ts'
import { Site } from '../../support/sites/site.ts'

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
