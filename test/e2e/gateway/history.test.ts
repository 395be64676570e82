import { expect, it } from 'vitest'
import { Gate } from '../../support/gate.ts'
import { isAlive } from '../../support/machine/processes.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

it('an execution that takes longer than the wait answers 202, goes on, and shows its result later', async () => {
  await using site = await Site.start({ limits: { wait: '200ms' } })
  using gate = new Gate(site.place)
  const metadata = { ticket: 'OPS-1' }
  const { status, body } = await site.rest.script('bash', `echo begun; ${gate.script} echo done; exit 4`, {
    metadata,
  })
  expect([status, body.output_status, body.exit_code, body.output]).toEqual([202, 'running', -2, ''])
  const [{ session }] = await gate.reached()
  expect(session).toBe(body.session_id)
  expect(await site.rest.session(session)).toMatchObject({ status: 'open', exit_code: null, metadata })
  gate.open()
  await waitFor(async () => (await site.rest.session(session)).status === 'done')
  expect(await site.rest.session(session)).toMatchObject({
    ...{ exit_code: 4, truncated_bytes: 0, event_stream: ['begun\ndone\n'] },
  })
})

it('a gateway that is killed keeps its history, and calls what was running lost when it starts again', async () => {
  await using site = await Site.start()
  using gate = new Gate(site.place)
  const ended = await site.rest.script('bash', 'echo kept; exit 5')
  const cut = site.rest.script('bash', gate.script).catch((error: unknown) => error)
  const [{ pid, session }] = await gate.reached()
  site.gateway.signal('SIGKILL')
  await site.gateway.ended()
  expect(await cut).toBeInstanceOf(Error)
  await site.startGateway()

  expect(await site.rest.session(ended.body.session_id)).toMatchObject({
    ...{ status: 'done', exit_code: 5, event_stream: ['kept\n'] },
  })
  expect(await site.rest.session(session)).toMatchObject({
    ...{ status: 'done', exit_code: 254 },
    event_stream: ['gateway stopped while the session was running'],
  })
  // The agent has ended the command of the lost session and comes back by itself.
  await waitFor(() => !isAlive(pid))
  expect((await site.rest.script('bash', 'echo again')).body).toMatchObject({
    output: 'again\n',
    exit_code: 0,
  })
})

it('a gateway that stops ends what outlives stop-timeout, answers its caller and records the end', async () => {
  await using site = await Site.start({ stopTimeout: '100ms' })
  using gate = new Gate(site.place)
  const reply = site.rest.script('bash', gate.script)
  const [{ pid, session }] = await gate.reached()
  expect(await site.gateway.stop()).toEqual({ code: 0, signal: null })
  expect((await reply).body).toMatchObject({ exit_code: -2, output_status: 'failed' })
  await waitFor(() => !isAlive(pid))
  await site.startGateway()
  expect(await site.rest.session(session)).toMatchObject({
    ...{ status: 'done', exit_code: 254 },
    event_stream: [expect.stringMatching(/^rpc error: code = Unknown desc = gateway shutdown/)],
  })
})
