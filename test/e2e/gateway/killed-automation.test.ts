import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Gate } from '../../support/gate.ts'
import { JIRA_TOKEN, JiraServer } from '../../support/scripted/jira.ts'
import { SID_FIELD } from '../../soak/kills/checks.ts'
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
  const under = new Set<string>()
  // Unanswered at first, so that it is under way when the gateway is killed.
  receiver.on('POST /hook', (request, response) => {
    const { id } = messageIn(request)
    if (isTaking || under.has(id)) response.writeHead(200).end()
    under.add(id)
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
  for (const code of [5, 6]) {
    const { body } = await site.rest.script('bash', `exit ${code}`)
    ended.set(body.session_id, code)
  }
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
  for (const session of [...ended.keys()].slice(0, 3))
    expect(told().filter((message) => message.session === session).length).toBeGreaterThan(1)
})

interface Run {
  readonly status: string
  readonly code: string | null
  readonly session_id: string | null
  readonly exit_code: number | null
}

const TEMPLATE = {
  ...{ name: 'runs', project_key: 'OPS', request_type_id: '25' },
  mapping_types: { items: [{ type: 'preset', jira_field: SID_FIELD, value: 'session.id' }] },
}

it('a run of a schedule begins once, and its schedule goes on, wherever the gateway is killed', async () => {
  await using jira = await JiraServer.start()
  const schedule = { cron: '0 3 29 2 *', runbook: 'ops/mark.runbook.sh', as: 'admin' }
  await using site = await Site.start({
    schedules: [
      { name: 'claimed', connection: 'ticketed', ...schedule },
      { name: 'begun', connection: 'bash', ...schedule },
    ],
    connections: [{ name: 'ticketed', command: ['bash'], jira: 'runs' }],
    jira: { url: jira.url, user: 'gateway@example.test', api_token: JIRA_TOKEN, templates: [TEMPLATE] },
    runbooks: {
      'ops/mark.runbook.sh': 'echo "$HOOP_SESSION_ID" >> "$TMPDIR/marks"; read -r _ < "$TMPDIR/gate"',
    },
  })
  execFileSync('mkfifo', [site.place.at('tmp/gate')])
  const runs = async (name: string) => {
    const { body } = await site.rest.send('GET', `/api/schedules/${name}`)
    return (JSON.parse(body) as { runs: Run[] }).runs
  }
  const marks = () => {
    const file = site.place.at('tmp/marks')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }
  const ask = (name: string) => site.rest.send('POST', `/api/schedules/${name}/run`).catch(() => undefined)
  const restarted = async () => {
    await site.killGateway()
    await site.startGateway()
  }

  // Behind the claim, in front of the session: Jira does not answer.
  const create = jira.scriptOf('create')
  const isAsked = new Promise<void>((resolve) => jira.answers('create', () => resolve()))
  const claimed = ask('claimed')
  await isAsked
  expect(await runs('claimed')).toMatchObject([{ status: 'starting', session_id: null }])
  await restarted()
  await claimed
  await waitFor(async () => (await runs('claimed'))[0]?.status === 'failed')
  // Its session is that which shows the issue that may be there.
  expect(await runs('claimed')).toMatchObject([{ exit_code: 254 }])
  expect(marks()).toEqual([])
  jira.answers('create', create)

  // While its command runs: that is lost, and not begun again.
  await ask('begun')
  await waitFor(() => marks().length === 1)
  await restarted()
  await waitFor(async () => (await runs('begun'))[0]?.status === 'failed')
  expect(await runs('begun')).toMatchObject([{ session_id: marks()[0], exit_code: 254 }])

  for (const name of ['claimed', 'begun']) {
    const before = marks().length
    await waitFor(async () => (await ask(name))?.status === 200)
    await waitFor(() => marks().length === before + 1)
    writeFileSync(site.place.at('tmp/gate'), '\n')
    await waitFor(async () => (await runs(name))[0]?.status === 'success')
    expect(await runs(name)).toHaveLength(2)
  }
  expect(new Set(marks()).size).toBe(3)
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
