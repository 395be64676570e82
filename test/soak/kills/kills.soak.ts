import { mkdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Random } from '../../faults/random.ts'
import { RestClient } from '../../faults/rest-client.ts'
import { JIRA_TOKEN, JiraServer } from '../../support/scripted/jira.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'
import { checkJob, problemsOfIssue, SID_FIELD } from './checks.ts'
import { runsOf, type Job } from './job.ts'
import { Load } from './load.ts'

/** `KILLS=20 KILLS_SEED=7 npm run test:soak -- kills` */
const kills = Number(process.env['KILLS'] ?? 100)
const seed = Number(process.env['KILLS_SEED'] ?? Date.now() % 2 ** 31)

const CLIENTS = 4
/** From the first request to the kill, at most. */
const LONGEST_MS = 1200
/** What was checked so often stays as it is; all of it is looked at once more in the end. */
const CHECKED_AGAIN = 60
const REVIEW = { groups: ['admin'], 'self-approval': true }
const CONNECTIONS = [
  { name: 'reviewed', command: ['bash'], review: REVIEW },
  { name: 'ticketed', command: ['bash'], jira: 'runs' },
  { name: 'both', command: ['bash'], jira: 'runs', review: REVIEW },
]

it(
  `the gateway is killed ${kills} times: no end, approval or issue is lost, and nothing runs twice`,
  { timeout: 60_000 + kills * 15_000 },
  async () => {
    console.log(`kills: ${kills}, seed ${seed}`)
    await using jira = await JiraServer.start()
    const random = new Random(seed)
    takeTime(jira, random)
    await using site = await startSite(jira)
    mkdirSync(site.place.at('commands'))
    const load = new Load(random, site.place.at('commands'))
    for (let kill = 1; kill <= kills; kill += 1) {
      const clients = Promise.all(Array.from({ length: CLIENTS }, () => load.client(restOf(site))))
      // One that fails is told behind the kill.
      clients.catch(() => undefined)
      await delay(random.between(0, LONGEST_MS))
      await killGateway(site)
      await clients
      await restart(site, random)
      await expectWell(
        site,
        load.jobs.slice(-CHECKED_AGAIN),
        jira.issues.slice(-CHECKED_AGAIN),
        `kill ${kill}`,
      )
    }
    await finishWaiting(site, load)
    await expectWell(site, load.jobs, jira.issues, 'in the end')
    console.log('kills:', figures(load, jira))
  },
)

async function startSite(jira: JiraServer): Promise<Site> {
  const mapping = { type: 'preset', jira_field: SID_FIELD, value: 'session.id' }
  const template = {
    name: 'runs',
    project_key: 'OPS',
    request_type_id: '25',
    mapping_types: { items: [mapping] },
  }
  const settings = {
    url: jira.url,
    user: 'gateway@example.test',
    api_token: JIRA_TOKEN,
    templates: [template],
  }
  const site = await Site.start({ connections: CONNECTIONS, jira: settings })
  return site
}

/** As long as Jira takes, a kill can come between the question and the key. The issue is there all the same. */
function takeTime(jira: JiraServer, random: Random): void {
  const create = jira.scriptOf('create')
  jira.answers('create', (received, response) => {
    setTimeout(() => create(received, response), random.between(0, 60))
  })
}

/** Each request on a connection of its own: none is sent on one that a kill has cut. */
function restOf(site: Site): RestClient {
  return new RestClient(Number(site.address.split(':')[1]), site.token)
}

async function killGateway(site: Site): Promise<void> {
  site.gateway.signal('SIGKILL')
  await site.gateway.ended()
}

/** Now and then it is killed while it starts, too. Settles when the agent is back. */
async function restart(site: Site, random: Random): Promise<void> {
  while (random.happens(0.15)) {
    const started = site.startGateway().catch(() => undefined)
    await delay(random.between(0, 1000))
    await killGateway(site)
    await started
  }
  await site.startGateway()
  await waitFor(async () => {
    const { body } = await restOf(site).ask('GET', '/api/connections')
    return (body as readonly { readonly status: string }[]).every(({ status }) => status === 'online')
  })
}

async function expectWell(
  site: Site,
  jobs: readonly Job[],
  issues: JiraServer['issues'],
  when: string,
): Promise<void> {
  const rest = restOf(site)
  const problems: string[] = []
  for (const job of jobs) {
    const found = await checkJob(rest, job)
    problems.push(...found.problems.map((problem) => `${job.name} on ${job.connection} ${problem}`))
  }
  for (const issue of issues) problems.push(...(await problemsOfIssue(rest, issue)))
  expect(problems, `${when}, seed ${seed}`).toEqual([])
}

/** Whatever still waits is approved and runs, once. */
async function finishWaiting(site: Site, load: Load): Promise<void> {
  const rest = restOf(site)
  for (const job of load.jobs) {
    const { waits } = await checkJob(rest, job)
    if (waits === undefined) continue
    await load.finish(rest, job, waits)
    expect([job.name, job.end?.exitCode, runsOf(job)]).toEqual([job.name, job.code, 1])
  }
}

function figures({ jobs, answers }: Load, { issues }: JiraServer): object {
  const count = (holds: (job: Job) => boolean) => jobs.filter(holds).length
  return {
    asked: jobs.length,
    unanswered: count(({ sid }) => sid === undefined),
    ran: count((job) => runsOf(job) === 1),
    ended: count(({ end, code }) => end?.exitCode === code),
    approved: count(({ isApproved }) => isApproved === true),
    issues: issues.length,
    answers: Object.fromEntries([...answers].toSorted()),
  }
}
