import { describe, expect, it } from 'vitest'
import { json, ScriptedRest } from '../../support/scripted/scripted-rest.ts'
import { main, runProgram } from '../../support/sites/program.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'
import { waitFor } from '../../support/wait.ts'

// Against a stand-in with the shapes of hoop's gateway.

const ID = '5474d29f-6d0c-4a3b-9a52-0a6f4f6f1c11'
const SESSION = '79365fe6-6d0c-4a3b-9a52-0a6f4f6f1c22'
const group = (name: string, status = 'PENDING') => ({
  ...{ id: `group-${name}`, group: name, status, forced_review: false, review_date: null },
  reviewed_by: status === 'PENDING' ? null : { id: 'bob', name: 'bob', email: 'bob@b.co', slack_id: '' },
})
const pending = {
  ...{ id: ID, session: SESSION, type: 'onetime', access_duration: 0, status: 'PENDING', revoke_at: null },
  ...{ created_at: '2026-11-25T19:55:47.304752Z', review_groups_data: [group('dba'), group('sre')] },
  ...{
    time_window: null,
    access_request_rule_name: 'rule',
    min_approvals: 2,
    force_approval_groups: ['boss'],
  },
}
const approvedOnce = { ...pending, review_groups_data: [group('dba', 'APPROVED'), group('sre')] }
const approved = { ...pending, status: 'APPROVED' }

async function gateway(): Promise<ScriptedRest> {
  const rest = await ScriptedRest.start()
  const executed = { ...pending, id: `${ID.slice(0, -1)}0`, session: 'other', status: 'EXECUTED' }
  rest.on('GET /api/reviews', json(200, [executed, pending]))
  for (const id of [ID, SESSION]) rest.on(`GET /api/reviews/${id}`, json(200, pending))
  return rest.on(`PUT /api/reviews/${ID}`, json(200, approvedOnce))
}

const ask = (place: Workplace, rest: ScriptedRest, ...words: readonly string[]) =>
  runProgram(place, ['reviews', ...words], { HOOP_APIURL: rest.url, HOOP_TOKEN: 'a-token-0123456789' })

describe('reviews', () => {
  it('lists those that wait, or others, as the gateway has them', async () => {
    using place = new Workplace()
    await using rest = await gateway()
    expect(JSON.parse((await ask(place, rest)).stdout)).toEqual([pending])
    const states = async (...words: readonly string[]) =>
      (JSON.parse((await ask(place, rest, 'list', ...words)).stdout) as { status: string }[]).map(
        ({ status }) => status,
      )
    expect(await states('--all')).toEqual(['EXECUTED', 'PENDING'])
    expect(await states('--status', 'executed')).toEqual(['EXECUTED'])
  })

  it('lists withdrawn requests apart from rejected ones, which have the same status', async () => {
    using place = new Workplace()
    await using rest = await gateway()
    const withdrawn = { ...pending, status: 'REJECTED', owner: 'ann', withdrawn_by: 'ann' }
    const rejected = { ...pending, status: 'REJECTED', owner: 'bob', session: 'other' }
    rest.on('GET /api/reviews', json(200, [pending, withdrawn, rejected]))
    const listed = async (status: string) =>
      JSON.parse((await ask(place, rest, 'list', '--status', status)).stdout) as unknown
    expect(await listed('withdrawn')).toEqual([withdrawn])
    expect(await listed('rejected')).toEqual([rejected])
  })

  it('shows one by the beginning of its session, and asks for it whole', async () => {
    using place = new Workplace()
    await using rest = await gateway()
    expect(JSON.parse((await ask(place, rest, 'show', '7936')).stdout)).toEqual(pending)
    expect(rest.asked(`GET /api/reviews/${ID}`)).toHaveLength(1)
  })

  it('approves with a window and force, and says what is still missing', async () => {
    using place = new Workplace()
    await using rest = await gateway()
    const ended = await ask(place, rest, 'approve', SESSION, '--window', '01:00-05:00', '--force')
    expect(ended).toMatchObject({
      ...{ code: 0, stdout: '' },
      stderr: `approved by 1 of 2: session ${SESSION} waits for sre\n`,
    })
    expect(rest.asked(`PUT /api/reviews/${ID}`).map(({ body }) => body)).toEqual([
      {
        ...{ status: 'APPROVED', force_review: true },
        time_window: { type: 'time_range', configuration: { start_time: '01:00', end_time: '05:00' } },
      },
    ])
    rest.on(`PUT /api/reviews/${ID}`, json(200, approved))
    const json_ = await ask(place, rest, 'approve', ID, '--json')
    expect([JSON.parse(json_.stdout), json_.stderr]).toEqual([approved, ''])
  })

  it('rejects with a reason', async () => {
    using place = new Workplace()
    await using rest = await gateway()
    rest.on(`PUT /api/reviews/${ID}`, json(200, { ...pending, status: 'REJECTED' }))
    const ended = await ask(place, rest, 'reject', ID, '--reason', 'no ticket')
    expect(ended).toMatchObject({ code: 0, stderr: `rejected: session ${SESSION} will not run\n` })
    expect(rest.asked(`PUT /api/reviews/${ID}`).map(({ body }) => body)).toEqual([
      { status: 'REJECTED', rejection_reason: 'no ticket' },
    ])
  })

  it.each<[string, readonly string[], number, number, object, RegExp]>([
    [
      'own',
      ['approve', ID],
      64,
      400,
      { message: 'unable to self approve review' },
      /: unable to self approve/,
    ],
    [
      'a window that is set already',
      ['approve', ID, '--window', '01:00-02:00'],
      ...([64, 500] as const),
      { message: 'failed updating review status: time window can only be set once' },
      /cannot approve review \S+: time window can only be set once\n$/,
    ],
    ['without the right', ['approve', ID], 77, 403, { message: 'access denied' }, /access denied/],
    [
      'without effect',
      ['approve', ID],
      77,
      200,
      pending,
      /your decision changed nothing: only members of dba, sre may decide/,
    ],
  ])('says why it was not taken: %s', async (_, words, code, status, body, message) => {
    using place = new Workplace()
    await using rest = await gateway()
    rest.on(`PUT /api/reviews/${ID}`, json(status, body))
    const ended = await ask(place, rest, ...words)
    expect([ended.code, ended.stdout, ended.stderr]).toEqual([code, '', expect.stringMatching(message)])
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('sends nothing for a window that is none, and suggests the id that was meant', async () => {
    using place = new Workplace()
    await using rest = await gateway()
    for (const window of ['1:00-5:00', '01:00', '24:00-05:00', '01:00-01:00'])
      expect((await ask(place, rest, 'approve', ID, '--window', window)).code).toBe(64)
    expect(rest.received).toEqual([])
    const typo = await ask(place, rest, 'show', '79365fe7')
    expect([typo.code, typo.stderr]).toEqual([64, expect.stringContaining('did you mean 79365fe6?')])
    const twice = await ask(place, rest, 'show', '5474d29f')
    expect([twice.code, twice.stderr]).toEqual([
      64,
      expect.stringMatching(/2 reviews have an id that begins with 5474d29f: 5474d29f-/),
    ])
  })
})

describe.skipIf(!hasTmux)('reviews approve on a terminal (tmux)', () => {
  function terminal(place: Workplace, rest: ScriptedRest): Tmux {
    const env = { HOOP_APIURL: rest.url, HOOP_TOKEN: 'a-token-0123456789', A: main, N: process.execPath }
    const screen = new Tmux(place, env)
    screen.enter('reviews() { "$N" "$A" reviews "$@"; echo "ended with $?"; }; clear')
    return screen
  }
  const decided = (rest: ScriptedRest) => rest.asked(`PUT /api/reviews/${ID}`)

  it('shows what would run, and sends nothing before a yes', async () => {
    await using rest = await gateway()
    const session = {
      ...{ id: SESSION, user: 'ann', connection: 'pg', type: 'database', verb: 'exec', status: 'open' },
      ...{ exit_code: null, start_date: '2026-01-31T14:30:00.000Z', end_date: null, event_size: 0 },
      ...{ labels: {}, metadata: {}, script: { data: 'drop table t' } },
    }
    rest.on(`GET /api/sessions/${SESSION}`, json(200, session))
    using place = new Workplace()
    using screen = terminal(place, rest)
    screen.enter(`reviews approve ${ID}`)
    await screen.shows(/drop table t[^]*Approve what is shown above\?[^]*No, send nothing/)
    screen.press('Enter')
    await screen.shows(/nothing was sent[^]*ended with 130/)
    expect(decided(rest)).toEqual([])
    screen.enter('clear')
    screen.enter(`reviews approve ${ID}`)
    await screen.shows(/Approve what is shown above\?/)
    screen.press('Down', 'Enter')
    await screen.shows(/approved by 1 of 2[^]*ended with 0/)
    await waitFor(() => decided(rest).length === 1)
  })

  it('is refused where the gateway does not show what would run, unless --yes is given', async () => {
    await using rest = await gateway()
    rest.on(`GET /api/sessions/${SESSION}`, json(404, { message: 'not found' }))
    using place = new Workplace()
    using screen = terminal(place, rest)
    screen.enter(`reviews approve ${ID}`)
    await screen.shows(/does not show you this session[^]*--yes[^]*ended with 77/)
    expect(decided(rest)).toEqual([])
    screen.enter(`reviews approve ${ID} --yes`)
    await screen.shows(/approved by 1 of 2[^]*ended with 0/)
  })
})
