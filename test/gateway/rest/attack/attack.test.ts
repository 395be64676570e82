import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkDescribed } from '../../../support/described-answer.ts'
import { waitFor } from '../../../support/wait.ts'
import { AttackedSite, SECRETS, type Received } from './attacked-site.ts'
import { attack, type Attack } from './requests.ts'

/** `ATTACK_RUNS=25000 ATTACK_SEED=7 npx vitest run test/gateway/rest/attack`: for longer, and once more the same. */
const numRuns = Number(process.env['ATTACK_RUNS'] ?? 250)
const seed = Number(process.env['ATTACK_SEED'] ?? Date.now() % 2 ** 31)

/** Faults of others, which answers tell with 5xx: a Jira that refuses a field, a repository that is not there. */
const OF_OTHERS = ['jira-failed', 'repository-failed']

let site: AttackedSite
beforeAll(async () => {
  site = await AttackedSite.start()
})
afterAll(() => site[Symbol.asyncDispose]())

it(
  'whatever is asked, by whomever: no 5xx, an answer as described, nothing leaks, and the gateway goes on',
  { timeout: 120_000 * Math.ceil(numRuns / 250) },
  async () => {
    console.log(`attack: ${numRuns} runs, seed ${seed}`)
    const statuses = new Map<number, number>()
    const run = async (attacks: readonly Attack[]) => {
      const answers = await Promise.all(attacks.map((one) => site.send(one)))
      answers.forEach((answer, at) => {
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        check(attacks[at]?.method ?? '', answer)
      })
    }
    // Several at once: some of them about the same session.
    const property = fc.asyncProperty(fc.array(attack, { minLength: 1, maxLength: 12 }), run)
    await fc.assert(property, { numRuns, seed })
    console.log('attack: answers by status', Object.fromEntries([...statuses].toSorted(([a], [b]) => a - b)))
    expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 401, 403, 404, 422]))
    await isWell()
  },
)

/** Of the gateway, at many addresses. */
const PAGE = readFileSync(new URL('../../../../dist/web/index.html', import.meta.url), 'utf8')

function check(method: string, { url, status, type, text }: Received & { readonly url: string }): void {
  const isJson = type.startsWith('application/json')
  const body: unknown = isJson && text !== '' ? JSON.parse(text) : text
  if (status >= 500 && url.split('?')[0] !== '/readyz')
    expect(OF_OTHERS, `${status} ${text}`).toContain((body as { readonly code?: unknown }).code)
  for (const secret of SECRETS) expect(text).not.toContain(secret)
  // The place of a line of ours: a stack.
  expect(text).not.toMatch(/\.[jt]s:\d+:\d+/)
  // Pages have files of their own; HEAD is GET without its body.
  const isPage = text === PAGE || (status === 304 && text === '')
  if (method === 'HEAD' || url.startsWith('/docs') || isPage) return
  // A URL with its host is the same as without.
  const path = url.replace(/^http:\/\/[^/]+/, '')
  checkDescribed(method, path, status, status === 204 ? {} : body)
}

/** Everything works as before, and nothing is left that runs. */
async function isWell(): Promise<void> {
  const { gateway, agent } = site
  expect(await gateway.request('GET', '/api/healthz')).toEqual({ status: 200, body: { liveness: 'OK' } })
  await waitFor(() => agent.services.slots.taken === 0)
  expect(await gateway.script('echo still')).toMatchObject({ status: 200, body: { output: 'still\n' } })
  expect(await gateway.exec({ file_name: 'ops/plain.sh' })).toMatchObject({ body: { output: 'plain\n' } })
  const bugs = gateway.log.filter((line) => /^request failed|internal.error/.test(line))
  expect(bugs).toEqual([])
}
