import type { Site } from '../sites/site.ts'
import { Program } from '../sites/program.ts'
import { waitFor } from '../wait.ts'
import { valueOf } from './past-runs.ts'
import { bookAt } from './books.ts'
import { Chance } from './chance.ts'
import type { Person } from './shop.ts'

// What runs on the filled site for real: sessions, requests and batches of today.

/** What happens after the request. `done`: the session ends by itself. */
type Then = 'done' | 'stays' | 'killed' | 'approved' | 'approved-later' | 'rejected' | 'withdrawn'

interface Run {
  readonly who: Person
  readonly on: string
  /** A runbook, or a script of one's own. */
  readonly file?: string
  readonly script?: string
  readonly then: Then
}

const refund = 'support/refund-order.runbook.sql'
const COLOURS = `for i in $(seq 400); do printf '\\033[3%dmline %d\\033[0m\\n' $((i % 7)) $i; done; echo "3 warnings" >&2`

const RUNS: readonly Run[] = [
  { who: 'sue.lindqvist', on: 'pg-shop', file: refund, then: 'stays' },
  { who: 'ann.kowalski', on: 'pg-shop', file: refund, then: 'stays' },
  { who: 'ann.kowalski', on: 'pg-shop', file: 'support/delete-customer.runbook.sql', then: 'stays' },
  { who: 'jo.marsh', on: 'bastion-eu', script: 'sudo systemctl restart nginx', then: 'stays' },
  {
    who: 'yuki.tanaka',
    on: 'pg-ledger',
    script: 'select sum(total)\nfrom orders\nwhere status = $$paid$$;',
    then: 'stays',
  },
  { who: 'carlos.diaz', on: 'pg-identity', file: 'db/vacuum.runbook.sql', then: 'stays' },
  { who: 'sue.lindqvist', on: 'pg-shop', file: refund, then: 'approved' },
  { who: 'jo.marsh', on: 'pg-shop', file: refund, then: 'approved' },
  { who: 'sue.lindqvist', on: 'pg-shop', file: 'support/find-order.runbook.sql', then: 'approved-later' },
  { who: 'ann.kowalski', on: 'pg-shop', file: refund, then: 'rejected' },
  { who: 'jo.marsh', on: 'pg-shop', file: refund, then: 'withdrawn' },
  { who: 'omar.haddad', on: 'search-01', file: 'db/rebuild-index.runbook.sh', then: 'stays' },
  { who: 'priya.nair', on: 'search-02', file: 'db/rebuild-index.runbook.sh', then: 'stays' },
  { who: 'priya.nair', on: 'search-02', script: 'echo begun; sleep 600', then: 'killed' },
  { who: 'sue.lindqvist', on: 'web-06', file: 'ops/restart-workers.runbook.sh', then: 'done' },
  { who: 'tom.becker', on: 'edge-lisbon-1', file: 'ops/clock.runbook.sh', then: 'done' },
  { who: 'carlos.diaz', on: 'pg-shop-test', script: 'drop table orders;', then: 'done' },
  { who: 'carlos.diaz', on: 'pg-shop-test', script: 'select * from orderz;', then: 'done' },
  { who: 'sue.lindqvist', on: 'mail-relay', file: 'support/unlock-account.runbook.sh', then: 'done' },
  { who: 'sue.lindqvist', on: 'mail-relay', file: 'support/set-password.runbook.sh', then: 'done' },
  { who: 'sue.lindqvist', on: 'mail-relay', file: 'support/call-back.runbook.sh', then: 'done' },
  { who: 'ann.kowalski', on: 'mail-relay', file: 'support/resend-mail.runbook.sh', then: 'done' },
  { who: 'mia.moreau', on: 'pg-shop-test', file: 'reports/customers.runbook.sql', then: 'done' },
  { who: 'mia.moreau', on: 'bash', file: 'reports/orders.runbook.sh', then: 'done' },
  { who: 'yuki.tanaka', on: 'bash', file: 'reports/refunds.runbook.sh', then: 'done' },
  { who: 'bea.thorsen', on: 'pg-shop-test', file: 'db/table-sizes.runbook.sql', then: 'done' },
  { who: 'omar.haddad', on: 'web-01', file: 'ops/rotate-logs.runbook.sh', then: 'done' },
  { who: 'omar.haddad', on: 'web-02', script: COLOURS, then: 'done' },
]

interface PresentBatch {
  readonly who: Person
  readonly file: string
  readonly connections: readonly string[]
  readonly waves: string
  readonly stopAfter: number
  /** How many of its sessions begin. */
  readonly sessions: number
  readonly status: 'done' | 'stopped' | 'running' | 'waiting'
  /** Runs that have ended when the site is ready; only of a running batch. */
  readonly ended?: number
}

const WEB = [1, 2, 3, 4, 5, 6].map((number) => `web-0${number}`)
const BATCHES: readonly PresentBatch[] = [
  {
    ...{ who: 'omar.haddad', file: 'ops/restart-workers.runbook.sh', connections: WEB, waves: '2,rest' },
    stopAfter: 6,
    sessions: 6,
    status: 'done',
  },
  {
    ...{
      who: 'tom.becker',
      file: 'deploy/roll-out.runbook.sh',
      connections: WEB.toReversed(),
      waves: '1,rest',
    },
    stopAfter: 1,
    sessions: 1,
    status: 'stopped',
  },
  {
    ...{
      who: 'omar.haddad',
      file: 'ops/rotate-certificates.runbook.sh',
      connections: WEB,
      waves: '2,1,rest',
    },
    stopAfter: 1,
    sessions: 3,
    status: 'running',
    ended: 2,
  },
  {
    ...{
      who: 'sue.lindqvist',
      file: 'support/find-order.runbook.sql',
      connections: ['pg-shop', 'pg-identity'],
      waves: 'rest',
    },
    stopAfter: 1,
    sessions: 1,
    status: 'waiting',
  },
]

/** Schedules that somebody starts; only the first one's run gets a session. */
const STARTED_SCHEDULES = ['purge-carts', 'export-ledger']
const SCHEDULE_SESSIONS = 1
const NATIVE = [
  'select count(*) from orders;\nselect * from orders where id = 4711;\n',
  'select customer, sum(total) from orders group by 1;\nselect * from orderz;\nselect now();\n',
]

/** Number of sessions that `makePresent` makes. */
export function presentSessions(hasDatabase: boolean): number {
  const ofBatches = BATCHES.reduce((sum, { sessions }) => sum + sessions, 0)
  return RUNS.length + ofBatches + SCHEDULE_SESSIONS + (hasDatabase ? NATIVE.length : 0)
}

/** Settles when all sessions have the state in which they stay. */
export async function makePresent(site: Site, hasDatabase: boolean): Promise<void> {
  const chance = new Chance(47)
  await Promise.all([
    ...RUNS.map((run) => begin(site, run, chance)),
    ...STARTED_SCHEDULES.map((name) => startSchedule(site, name)),
    ...(hasDatabase ? NATIVE.map((statements, at) => runNative(site, statements, at)) : []),
  ])
  for (const batch of BATCHES) await beginBatch(site, batch, chance)
}

async function begin(site: Site, run: Run, chance: Chance): Promise<void> {
  const { who, on, file, script, then } = run
  const asked =
    file === undefined
      ? { connection: on, script }
      : {
          ...{ repository: 'books', file_name: file, connection_name: on },
          parameters: valuesFor(file, chance),
        }
  const path = file === undefined ? '/api/sessions' : '/api/runbooks/exec'
  const whenApproved = then === 'approved' && { when_approved: true }
  const { session_id: id } = await send<{ session_id: string }>(site, who, 'POST', path, {
    ...{ ...asked, ...whenApproved },
  })
  await follow(site, id, run)
}

async function follow(site: Site, id: string, { who, then }: Run): Promise<void> {
  const decide = (status: string, more: object = {}) =>
    send<undefined>(site, 'bea.thorsen', 'PUT', `/api/reviews/${id}`, { status, ...more })
  if (then === 'stays') return
  if (then === 'approved-later') {
    await decide('APPROVED')
    return
  }
  if (then === 'killed') await waitFor(async () => (await shown(site, id)).includes('begun'))
  if (then === 'killed') await send(site, 'ida.berg', 'POST', `/api/sessions/${id}/kill`)
  if (then === 'withdrawn') await send(site, who, 'POST', `/api/sessions/${id}/kill`)
  if (then === 'approved') await decide('APPROVED')
  if (then === 'rejected') await decide('REJECTED', { rejection_reason: 'Please use the test shop first.' })
  await waitFor(async () => (await shown(site, id)).includes('"status":"done"'))
}

async function shown(site: Site, id: string): Promise<string> {
  return (await site.rest.send('GET', `/api/sessions/${id}?expand=event_stream&event_stream=utf8`)).body
}

function valuesFor(file: string, chance: Chance): Record<string, string> {
  return Object.fromEntries(
    bookAt(file).parameters.map((name) => [
      name,
      name === 'password' ? chance.uuid() : valueOf(chance, name),
    ]),
  )
}

async function beginBatch(site: Site, batch: PresentBatch, chance: Chance): Promise<void> {
  const { who, file, connections, waves, stopAfter, status, ended = 0 } = batch
  const { id } = await send<{ id: string }>(site, who, 'POST', '/api/batches', {
    ...{ file_name: file, repository: 'books', connections, waves, parallel: 2, stop_after: stopAfter },
    parameters: valuesFor(file, chance),
  })
  await waitFor(async () => {
    const { body } = await site.rest.send('GET', `/api/batches/${id}`)
    const found = JSON.parse(body) as {
      status: string
      runs: readonly { ended_at: string | null; started_at: string | null }[]
    }
    const count = found.runs.filter(({ ended_at: at }) => at !== null).length
    const begun = found.runs.filter(({ started_at: at }) => at !== null).length
    return found.status === status && count >= ended && (status !== 'running' || begun >= batch.sessions)
  })
}

async function startSchedule(site: Site, name: string): Promise<void> {
  await site.rest.send('POST', `/api/schedules/${name}/run`)
  await waitFor(async () => {
    const { body } = await site.rest.send('GET', `/api/schedules/${name}`)
    return !/"outcome":"(starting|started)"/.test(body)
  })
}

/** Runs psql on a port of pg-shop-test; the second one's statements have an error. */
async function runNative(site: Site, statements: string, at: number): Promise<void> {
  const file = site.place.write(`native-${at}.sql`, statements)
  await using client = new Program(
    site.place,
    ['connect', 'pg-shop-test', '--port', '0', '--run', `psql -X -q -f ${file}`],
    {
      HOOP_APIURL: `http://${site.address}`,
      HOOP_TOKEN: site.tokenOf(at === 0 ? 'bea.thorsen' : 'zoe.ferri'),
    },
  )
  await client.ended()
}

async function send<Answer>(
  site: Site,
  who: Person,
  method: 'POST' | 'PUT',
  path: string,
  body?: object,
): Promise<Answer> {
  const prefer = { prefer: 'respond-async' }
  const text = body === undefined ? undefined : JSON.stringify(body)
  const reply = await site.rest.send(method, path, text, site.tokenOf(who), prefer)
  if (reply.status >= 300) throw new Error(`${who}: ${method} ${path}: ${reply.status} ${reply.body}`)
  return (reply.body === '' ? undefined : JSON.parse(reply.body)) as Answer
}
