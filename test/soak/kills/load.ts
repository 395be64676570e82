import type { Reply, RestClient } from '../../faults/rest-client.ts'
import type { Random } from '../../faults/random.ts'
import { CONNECTIONS, isReviewed, scriptOf, type Job } from './job.ts'

interface ExecBody {
  readonly session_id: string
  readonly has_review: boolean
  readonly output: string
  readonly output_status: string
  readonly exit_code: number
  readonly jira_issue_key?: string
}

/** Clients that ask for new executions, and for what comes next of those that wait, until the gateway is gone. */
export class Load {
  readonly jobs: Job[] = []
  /** Answers, by what was asked and their status. */
  readonly answers = new Map<string, number>()
  readonly #random: Random
  /** Where each command has a file of its own. */
  readonly #folder: string

  constructor(random: Random, folder: string) {
    this.#random = random
    this.#folder = folder
  }

  /** One client. Settles when a request gets no answer: the gateway has been killed. */
  async client(rest: RestClient): Promise<void> {
    try {
      for (;;) await this.#step(rest)
    } catch (error) {
      if (!isUnanswered(error)) throw error
    }
  }

  /** What waits, from its approval to its end. */
  async finish(rest: RestClient, job: Job, status: string): Promise<void> {
    if (status === 'PENDING') await this.#approve(rest, job)
    await this.#run(rest, job)
  }

  async #step(rest: RestClient): Promise<void> {
    const fresh = this.jobs.filter((job) => isReviewed(job) && job.sid !== undefined && mayRun(job))
    if (fresh.length === 0 || (fresh.length < 60 && this.#random.happens(0.5))) return this.#ask(rest)
    const job = this.#random.one(fresh)
    if (job.isApproved === undefined) return this.#approve(rest, job)
    // Two at once: one of them runs it.
    await Promise.all([this.#run(rest, job), this.#run(rest, job)])
  }

  async #ask(rest: RestClient): Promise<void> {
    const name = `job${this.jobs.length}`
    const job: Job = {
      ...{ name, connection: this.#random.one(CONNECTIONS), code: this.#random.between(1, 9) },
      runs: `${this.#folder}/${name}`,
    }
    this.jobs.push(job)
    const asked = { connection: job.connection, script: scriptOf(job), correlation_id: name }
    this.#learn(job, await this.#told('ask', rest.ask('POST', '/api/sessions', asked)))
  }

  async #approve(rest: RestClient, job: Job): Promise<void> {
    const path = `/api/reviews/${job.sid ?? ''}`
    const { status } = await this.#told('approve', rest.ask('PUT', path, { status: 'APPROVED' }))
    if (status === 200) job.isApproved = true
  }

  async #run(rest: RestClient, job: Job): Promise<void> {
    job.isRunAsked = true
    this.#learn(job, await this.#told('run', rest.ask('POST', `/api/sessions/${job.sid ?? ''}/exec`)))
  }

  #learn(job: Job, { status, body }: Reply): void {
    if (status !== 200 && status !== 202) return
    const {
      session_id: sid,
      has_review: waits,
      output,
      exit_code,
      output_status,
      jira_issue_key: issue,
    } = body as ExecBody
    job.sid = sid
    if (issue !== undefined) job.issue = issue
    if (waits || output_status === 'running') return
    if (job.end !== undefined) throw new Error(`${job.name} has two ends`)
    job.end = { exitCode: exit_code, output }
  }

  async #told(what: string, reply: Promise<Reply>): Promise<Reply> {
    const { status, body } = await reply
    const place = `${what} ${status}`
    this.answers.set(place, (this.answers.get(place) ?? 0) + 1)
    // What another client was faster with: 400 for an approval, 403 and 409 for a run.
    if (![200, 202, ...(what === 'approve' ? [400] : [403, 409])].includes(status))
      throw new Error(`${place}: ${JSON.stringify(body)}`)
    return { status, body }
  }
}

function mayRun({ end, isOver, isRunAsked }: Job): boolean {
  return end === undefined && isOver === undefined && isRunAsked === undefined
}

function isUnanswered(error: unknown): boolean {
  const { code } = error as { readonly code?: string }
  return (
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(code ?? '') || (error as Error).message === 'aborted'
  )
}
