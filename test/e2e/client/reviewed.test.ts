import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Program, runProgram } from '../../support/sites/program.ts'
import { json } from '../../support/scripted/scripted-rest.ts'
import { answer, RunbookGateway, SESSION } from '../../support/sites/runbook-gateway.ts'
import { Site } from '../../support/sites/site.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const FILE = 'ops/hello.runbook.sh'
const UUID = /[0-9a-f]{8}-[0-9a-f-]{27}/

describe('a connection with reviews on the embedded gateway', () => {
  let site: Site
  let env: Readonly<Record<string, string>>

  beforeAll(async () => {
    const review = { groups: ['admin'], 'self-approval': true }
    site = await Site.start({
      connections: [{ name: 'reviewed', command: ['bash'], review }],
      runbooks: { [FILE]: 'echo "hello {{ .name }}"; exit 3' },
    })
    env = { HOOP_APIURL: `http://${site.address}`, HOOP_GRPCURL: site.grpc, HOOP_TOKEN: site.token }
  }, 60_000)

  afterAll(async () => {
    await site[Symbol.asyncDispose]()
  })

  const client = (...args: readonly string[]) => runProgram(site.place, args, env)
  const start = (...args: readonly string[]) => new Program(site.place, args, env)
  const asking = ['run', 'reviewed', FILE, '-p', 'name=world'] as const
  const waiting = async (program: Program, form: RegExp) =>
    UUID.exec((await program.says('stderr', form))[0])?.[0] ?? ''

  it('run says whom it waits for, and runs by itself when somebody has approved it', async () => {
    await using run = start(...asking)
    const session = await waiting(run, /session \S+ is waiting for approval by admin: http:\S+/)
    const list = JSON.parse((await client('reviews', 'list')).stdout) as { session: string }[]
    expect(list.map((review) => review.session)).toEqual([session])
    expect(JSON.parse((await client('reviews', 'show', session)).stdout)).toMatchObject({ session })
    const approved = await client('reviews', 'approve', session)
    expect([approved.code, approved.stderr]).toEqual([0, `approved: session ${session} may run\n`])
    expect((await run.ended()).code).toBe(3)
    expect(run.stdout).toBe('hello world\n')
  })

  it('run --on --no-wait prints the batch, and says who has to approve and how to go on', async () => {
    const words = ['run', FILE, '-p', 'name=world', '--on', 'reviewed', '--no-wait', '--yes']
    const asked = await client(...words)
    const id = asked.stdout.trim()
    expect([asked.code, asked.stderr]).toEqual([
      0,
      expect.stringMatching(`^runbook-agent: batch ${id} is waiting for approval by admin\\n`) as string,
    ])
    expect(asked.stderr).toContain(`run it when approved: runbook-agent batches exec ${id}\n`)
    const json = await client(...words, '--json')
    expect([JSON.parse(json.stdout), json.stderr]).toEqual([
      expect.objectContaining({ status: 'waiting' }) as object,
      '',
    ])
    const { review } = JSON.parse(json.stdout) as { review: { id: string; session_id: string } }
    const shown = await client('batches', 'list', '--format', 'table')
    expect([shown.stdout.split('\n').length, review.id === review.session_id]).toEqual([4, false])
  })

  it('run and exec --when-approved leave the run to the gateway, and follow it where they stay', async () => {
    await using stays = start(...asking, '--when-approved')
    const followed = await waiting(stays, /session \S+ is waiting/)
    const left = await client(...asking, '--when-approved', '--no-wait')
    const session = left.stdout.trim()
    expect(left.stderr).toContain('the gateway runs it when it is approved')
    expect(left.stderr).not.toContain('sessions exec')
    for (const one of [followed, session]) await client('reviews', 'approve', one)
    expect([(await stays.ended()).code, stays.stdout]).toEqual([3, 'hello world\n'])
    const output = await client('sessions', 'follow', session)
    expect([output.code, output.stdout]).toEqual([3, 'hello world\n'])

    await using exec = start('exec', 'reviewed', '--when-approved', '-i', 'echo "by exec"')
    const leaves = await waiting(exec, /waiting for approval by admin: http:\S+/)
    exec.signal('SIGINT')
    await exec.ended()
    expect(exec.stderr).toContain('the gateway runs it when it is approved')
    await client('reviews', 'approve', leaves)
    expect((await client('sessions', 'follow', leaves)).stdout).toBe('by exec\n')
    const local = await client('run', '--local', 'bash', FILE, '--when-approved')
    expect([local.code, local.stderr]).toEqual([64, expect.stringContaining('omit --when-approved')])
  })

  it('run ends with 77 when it is rejected', async () => {
    await using run = start(...asking)
    const session = await waiting(run, /session \S+ is waiting/)
    const rejected = await client('reviews', 'reject', session, '--reason', 'no ticket')
    expect([rejected.code, rejected.stderr]).toEqual([0, `rejected: session ${session} will not run\n`])
    expect((await run.ended()).code).toBe(77)
    const text = `the review of session ${session} was rejected by admin: no ticket\n`
    expect([run.stdout, run.stderr]).toEqual(['', expect.stringContaining(text)])
  })

  it('run --no-wait prints the session; sessions exec runs it once, and only when it is approved', async () => {
    const asked = await client(...asking, '--no-wait')
    const session = asked.stdout.trim()
    expect([asked.code, asked.stdout]).toEqual([0, expect.stringMatching(UUID)])
    expect(asked.stderr).toContain(`run it when approved: runbook-agent sessions exec ${session}`)
    const early = await client('sessions', 'exec', session)
    expect([early.code, early.stdout, early.stderr]).toEqual([
      ...([77, ''] as const),
      `runbook-agent: cannot run session ${session}: review not approved or already executed\n`,
    ])
    await client('reviews', 'approve', session)
    expect(await client('sessions', 'exec', session)).toMatchObject({ code: 3, stdout: 'hello world\n' })
    expect((await client('sessions', 'exec', session)).code).toBe(77)
  })

  it('exec that is left while it waits can still be run, and sessions follow says so', async () => {
    await using exec = start('exec', 'reviewed', '-i', 'echo ran; exit 5')
    const session = await waiting(
      exec,
      /waiting for approval by admin: http:\S+[^]*leaves it waiting, \S+ \S+/,
    )
    exec.signal('SIGINT')
    expect((await exec.ended()).code).toBe(130)
    expect(exec.stderr).toContain(`before session ${session} was approved\n`)
    await client('reviews', 'approve', session)
    await using follow = start('sessions', 'follow', session)
    await follow.says('stderr', /is approved\. Run it: runbook-agent sessions exec/)
    expect(await client('sessions', 'exec', session)).toMatchObject({ code: 5, stdout: 'ran\n' })
    expect((await follow.ended()).code).toBe(5)
    expect(follow.stdout).toBe('ran\n')
  })
})

it('runbook-agent sessions exec ends with 77 where the run needs a second review and that one is rejected', async () => {
  await using gateway = await RunbookGateway.start()
  using place = new Workplace()
  gateway.rest.on(
    `POST /api/sessions/${SESSION}/exec`,
    json(200, answer({ has_review: true, output: 'http://gateway/reviews/2', output_status: '' })),
  )
  const waits = { status: 'open', review: { status: 'PENDING' } }
  gateway.records({ review: { status: 'APPROVED' } }, waits, { ...waits, review: { status: 'REJECTED' } })
  const reviewed = { status: 'REJECTED', rejection_reason: 'not at night', review_groups_data: [] }
  gateway.rest.on(`GET /api/reviews/${SESSION}`, json(200, { id: 'r2', session: SESSION, ...reviewed }))
  const ended = await runProgram(place, ['sessions', 'exec', SESSION], gateway.env)
  expect([ended.code, ended.stdout]).toEqual([77, ''])
  expect(ended.stderr).toContain('http://gateway/reviews/2')
  expect(ended.stderr).toContain(`the review of session ${SESSION} was rejected: not at night\n`)
  expect(gateway.rest.asked(`POST /api/sessions/${SESSION}/exec`)).toHaveLength(1)
})
