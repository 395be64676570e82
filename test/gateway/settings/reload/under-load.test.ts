import { expect, it } from 'vitest'
import { clientOf } from '../../../support/sites/client-site.ts'
import { RunningAgent } from '../../../support/sites/running-agent.ts'
import { RunningGateway, userToken } from '../../../support/sites/running-gateway.ts'

const RELOADS = 100
const LINES = 50

/** A part of gateway.yaml that is there in every other reading, beside what the load needs. */
function settings(turn: number, elsewhere: string): Parameters<RunningGateway['configure']>[0] {
  const isOdd = turn % 2 === 1
  const guest = `\n  - { name: guest-${turn}, agent: second, command: [bash] }`
  const books = `\n  - { name: books, agent: local, command: [bash], runbooks: { repository: more } }`
  return {
    limits: `{ wait: ${40 + (turn % 10)}s }`,
    users: isOdd ? '\n  - { name: guest, token: a-token-of-a-guest-0123 }' : '',
    agents: `{ name: second, key: xagt-a-second-key-${turn}-0123456789 }`,
    // Now and then another one of the same name.
    repositories: `{ name: more, url: ${Math.floor(turn / 10) % 2 === 1 ? './rb' : elsewhere} }`,
    connections: books + guest,
  }
}

it(`${RELOADS} reloads lose nothing of what runs, follows and connects meanwhile`, async () => {
  await using elsewhere = await RunningGateway.start({ 'x.runbook.sh': 'echo x' })
  await using gateway = await RunningGateway.start({}, settings(0, elsewhere.repository))
  await using agent = await RunningAgent.start(gateway.agentUrl, { redact: 'off' })
  await agent.serving()
  await using terminal = clientOf(gateway, 'connect')
  await terminal.connect()
  const followed = await follow(gateway, await terminal.sid())
  const load = new Load()
  const reloading = reloadAll(gateway, elsewhere.repository, (turn) =>
    terminal.type(`echo turn""-${turn}.\n`),
  ).finally(() => load.stop())
  await Promise.all([
    reloading,
    load.keep(async (number) => {
      const { body } = await gateway.script(`echo ${number}; sleep 0.02; exit ${number % 5}`)
      expect([body['output'], body['exit_code']]).toEqual([`${number}\n`, number % 5])
    }),
    load.keep(async (number) => {
      const { body } = await gateway.exec({ file_name: 'ops/a.runbook.sh', parameters: { x: `${number}` } })
      expect([body['output'], body['exit_code']]).toEqual([`${number}\n`, 0])
    }),
    load.keep(async (number) => {
      await using client = clientOf(gateway, 'exec')
      const ran = await client.exec(`for i in {1..${LINES}}; do echo $i; done; exit ${number % 3}`)
      expect([ran.stdout.split('\n').length, ran.code]).toEqual([LINES + 1, number % 3])
    }),
    load.keep(async () => {
      const { body } = await gateway.request('GET', '/api/runbooks?connection_name=books')
      expect([body['errors'], (body['items'] as object[])[0]]).toMatchObject([
        [],
        { name: 'ops/a.runbook.sh' },
      ])
    }),
  ])
  terminal.type('exit 9\n')
  expect((await terminal.ended()).code).toBe(9)
  const turns = Array.from({ length: RELOADS }, (_, turn) => `turn-${turn}.`)
  const shown = terminal.output('stdout')
  expect(turns.filter((turn) => !shown.includes(turn))).toEqual([])
  expect(await followed.all).toBe(shown)
  expect(load.done).toBeGreaterThan(RELOADS)
  expect(
    gateway.log.filter((line) => /^(request failed|client failed|session failed|agent disc)/.test(line)),
  ).toEqual([])
})

async function reloadAll(
  gateway: RunningGateway,
  elsewhere: string,
  meanwhile: (turn: number) => void,
): Promise<void> {
  for (let turn = 0; turn < RELOADS; turn++) {
    gateway.configure(settings(turn + 1, elsewhere))
    meanwhile(turn)
    const { status, body } = await gateway.request('POST', '/api/reload')
    expect([status, (body['changes'] as object[]).length > 3]).toEqual([200, true])
  }
}

/** Work that is done again and again until it is stopped. */
class Load {
  done = 0
  #isStopped = false

  async keep(work: (number: number) => Promise<void>): Promise<void> {
    while (!this.#isStopped) await work(this.done++)
  }

  stop(): void {
    this.#isStopped = true
  }
}

/** What a session writes, from its beginning to its end, once its live stream is open. */
async function follow(gateway: RunningGateway, sid: string): Promise<{ readonly all: Promise<string> }> {
  const url = `${gateway.gateway.http}/api/sessions/${sid}/stream`
  const response = await fetch(url, { headers: { authorization: `Bearer ${userToken}` } })
  return { all: response.text().then(textOf) }
}

function textOf(stream: string): string {
  const events = [...stream.matchAll(/event: event\ndata: (.*)$/gm)].map(
    ([, data = '']) => JSON.parse(data) as { readonly type: string; readonly payload: string },
  )
  const output = events
    .filter(({ type }) => type === 'o')
    .map(({ payload }) => Buffer.from(payload, 'base64'))
  return Buffer.concat(output).toString()
}
