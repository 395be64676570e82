import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Gate } from '../../support/gate.ts'
import { ScriptedRest, type Received } from '../../support/scripted/scripted-rest.ts'
import { Program, runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'

// The built gateway, killed (SIGKILL) at the moments that matter to what it does by itself.

const KEY = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

interface Message {
  readonly id: string
  readonly session: string
  readonly code: number
}

function messageIn({ headers, body }: Received): Message {
  const { data } = body as { data: { id: string; exit_code: number } }
  return { id: String(headers['webhook-id']), session: data.id, code: data.exit_code }
}

it('a message that was under way, and what ended while nobody took messages, is told again, under the same id', async () => {
  await using receiver = await ScriptedRest.start()
  let isTaking = false
  receiver.on('POST /hook', (_, response) => {
    if (isTaking) response.writeHead(200).end()
  })
  const webhooks = [
    {
      name: 'hook',
      url: `${receiver.url}/hook`,
      secret: KEY,
      events: ['session.finished', 'session.failed'],
    },
  ]
  await using site = await Site.start({ webhooks })
  const told = () => receiver.asked('POST /hook').map(messageIn)
  const ended = new Map<string, number>()
  for (const code of [0, 3, 4]) {
    const { body } = await site.rest.script('bash', `exit ${code}`)
    ended.set(body.session_id, code)
    await waitFor(() => told().some(({ session }) => session === body.session_id))
    await site.killGateway()
    await site.startGateway()
  }
  const last = await site.rest.script('bash', 'exit 5')
  ended.set(last.body.session_id, 5)
  await site.killGateway()
  isTaking = true
  await site.startGateway()
  const waiting = async () => {
    const { body } = await site.rest.send('GET', '/api/webhooks')
    return (JSON.parse(body) as [{ waiting: number }])[0].waiting
  }
  await waitFor(async () => (await waiting()) === 0)
  expect(new Map(told().map(({ session, code }) => [session, code]))).toEqual(ended)
  const ids = new Set(told().map(({ id, session }) => `${session} ${id}`))
  expect(ids.size).toBe(ended.size)
})

interface Run {
  readonly status: string
  readonly code: string | null
  readonly session_id: string | null
}

it('a run of a schedule begins once, and its schedule goes on, whenever the gateway is killed', async () => {
  const nightly = { name: 'nightly', cron: '0 3 29 2 *', connection: 'bash', runbook: 'ops/mark.runbook.sh' }
  await using site = await Site.start({
    schedules: [{ ...nightly, as: 'admin' }],
    runbooks: { 'ops/mark.runbook.sh': 'echo "$HOOP_SESSION_ID" >> "$TMPDIR/marks"' },
  })
  const runs = async () => {
    const { body } = await site.rest.send('GET', '/api/schedules/nightly')
    return (JSON.parse(body) as { runs: Run[] }).runs
  }
  for (let round = 1; round <= 8; round++) {
    const asked = site.rest.send('POST', '/api/schedules/nightly/run').catch(() => undefined)
    // Each time a little later on the way: asked for, claimed, begun, running, over.
    for (let turn = 0; turn < round * 4; turn++) await site.rest.send('GET', '/api/healthz')
    await site.killGateway()
    await asked
    await site.startGateway()
    await site.agent.says('stderr', new RegExp(`(agent serving[^]*){${round + 1}}`))
    const isSettled = async () => (await runs()).every(({ status }) => /^(success|failed)$/.test(status))
    await waitFor(isSettled)
  }
  const { body } = await site.rest.send('POST', '/api/schedules/nightly/run')
  expect((JSON.parse(body) as Run).session_id).not.toBeNull()
  await waitFor(async () => (await runs())[0]?.status === 'success')
  const marks = readFileSync(site.place.at('tmp/marks'), 'utf8').trim().split('\n')
  expect(new Set(marks).size).toBe(marks.length)
  const all = await runs()
  const sessions = all.flatMap(({ session_id: id }) => (id === null ? [] : [id]))
  expect(marks.filter((id) => !sessions.includes(id))).toEqual([])
  // What has no session says why.
  const unbegun = all.filter(({ session_id: id }) => id === null)
  expect(unbegun.filter(({ code }) => code !== 'gateway-stopped')).toEqual([])
})

it('a backup that a kill cuts short is no file, and the gateway gives its room back', async () => {
  await using site = await Site.start()
  using gate = new Gate(site.place)
  const running = site.rest.script('bash', `${gate.script} exit 0`).catch(() => undefined)
  await gate.reached()
  const env = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
  // Noise, so that the file does not fit into what sockets hold.
  const noise = Buffer.from(Array.from({ length: 6 * 1024 * 1024 }, () => Math.floor(Math.random() * 256)))
  for (let at = 0; at < 3; at++)
    await site.rest.script('bash', `: ${noise.subarray(at * 2 ** 21, (at + 1) * 2 ** 21).toString('base64')}`)
  const file = site.place.at('cut.backup')
  await using asking = new Program(site.place, ['backup', file], env)
  const copies = () => readdirSync(site.place.at('state')).filter((name) => name.startsWith('.backup-'))
  await waitFor(() => copies().length === 1)
  await site.killGateway()
  expect((await asking.ended()).code).toBe(69)
  expect(existsSync(file)).toBe(false)
  await site.startGateway()
  expect(copies()).toEqual([])
  await running
  expect(await runProgram(site.place, ['backup', file], env)).toMatchObject({ code: 0 })
  const restored = site.place.at('restored')
  await using restoring = new Program(site.place, ['restore', file, '--state', restored])
  await waitFor(() => existsSync(restored) && readdirSync(restored).length > 0)
  restoring.signal('SIGKILL')
  await restoring.ended()
  expect(await runProgram(site.place, ['restore', file, '--state', restored])).toMatchObject({
    code: expect.toBeOneOf([0, 78]) as number,
  })
  expect(statSync(`${restored}/history.sqlite`).size).toBeGreaterThan(0)
})
