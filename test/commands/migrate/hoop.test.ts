import { readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { findAccount } from '../../../src/client/account/account.ts'
import {
  carriedOf,
  readHoopState,
  Ids,
  type MigrationOptions,
  type MigrationStep,
} from '../../../src/commands/migrate/step.ts'
import { notesOf } from '../../../src/commands/migrate/report.ts'
import { stepsOf } from '../../../src/commands/migrate/plan.ts'
import { settingsOf } from '../../support/settings.ts'
import { HOOP_TOKEN, HoopServer } from '../../support/scripted/hoop-server.ts'
import { Workplace } from '../../support/sites/workplace.ts'

const SETTINGS = `
users:
  - { name: ada, token: the-token-of-ada-0123456789, groups: [dba, admin] }
agents:
  - { name: db-host, key: the-key-of-db-host-0123456789 }
repositories:
  - { name: ops, url: 'https://reader:pass-word@git.example.test/team/ops.git' }
guardrails:
  - name: no-drop
    input: [{ type: deny_words_list, words: [DROP], message: 'not here' }]
masking:
  - { name: people, entities: [EMAIL_ADDRESS], custom: [{ name: BADGE, regex: 'B-\\d+' }] }
jira:
  url: https://jira.example.test
  user: gateway@example.test
  api_token: the-token-of-jira-0123456789
  templates:
    - name: change
      project_key: OPS
      request_type_id: '25'
      mapping_types: { items: [{ type: preset, jira_field: customfield_1, value: session.id }] }
connections:
  - name: pg-main
    agent: db-host
    type: database
    subtype: postgres
    command: [psql, -h, $HOST]
    tags: { env: prod }
    env: { HOST: 127.0.0.1, PASS: the-pass-of-pg }
    runbooks: { repository: ops, path: sql/ }
    guardrails: [no-drop]
    masking: [people]
    jira: change
    review: { groups: [dba], minimum: 1 }
    access: { exec: false }
  - name: bash-ops
    agent: db-host
    command: [bash]
    review: { groups: [dba], minimum: 1 }
`

describe('what is written into hoop', () => {
  it('is the same connection: command, secrets, modes, and all that it refers to', async () => {
    await using hoop = await HoopServer.start()
    await migrate(hoop)
    const [main] = hoop.connections
    expect(main).toMatchObject({
      ...{ name: 'pg-main', type: 'database', subtype: 'postgres', command: ['psql', '-h', '$HOST'] },
      ...{ access_mode_runbooks: 'enabled', access_mode_exec: 'disabled', access_mode_connect: 'disabled' },
      agent_id: hoop.agents[0]?.['id'],
      guardrail_rules: [hoop.guardrails[0]?.['id']],
      jira_issue_template_id: hoop.templates[0]?.['id'],
      connection_tags: { env: 'prod' },
      secret: {
        'envvar:HOST': base64('127.0.0.1'),
        'envvar:PASS': base64('the-pass-of-pg'),
        'envvar:RUNBOOK_AGENT_CLIENT_ESCAPES': base64('block'),
      },
    })
    expect(hoop.guardrails).toMatchObject([
      {
        name: 'no-drop',
        input: { rules: [{ type: 'deny_words_list', words: ['DROP'], message: 'not here' }] },
      },
    ])
    expect(hoop.masking).toMatchObject([
      {
        name: 'people',
        connection_ids: [main?.['id']],
        supported_entity_types: [{ entity_types: ['EMAIL_ADDRESS'] }],
        custom_entity_types: [{ name: 'BADGE', regex: 'B-\\d+' }],
      },
    ])
    expect(hoop.jira).toMatchObject({ url: 'https://jira.example.test', status: 'enabled' })
    expect(hoop.templates).toMatchObject([
      { name: 'change', project_key: 'OPS', mapping_types: { items: [{ value: 'session.id' }] } },
    ])
    expect(hoop.repositories).toMatchObject([
      { git_url: 'https://git.example.test/team/ops.git', git_user: 'reader', git_password: 'pass-word' },
    ])
    expect(hoop.runbookRules).toMatchObject([
      {
        runbooks: [{ repository: 'git.example.test/team/ops', name: 'sql/' }],
        ...{ connections: ['pg-main'], user_groups: [] },
      },
    ])
  })

  it('has one review rule for all connections that are reviewed alike, before the connections', async () => {
    await using hoop = await HoopServer.start()
    await migrate(hoop)
    expect(hoop.reviewRules).toMatchObject([
      {
        ...{ name: 'review-dba', access_type: 'jit_command', reviewers_groups: ['dba'], min_approvals: 1 },
        connection_names: ['bash-ops', 'pg-main'],
      },
    ])
    const order = hoop.writes
    expect(order.indexOf('POST /api/access-requests/rules')).toBeLessThan(
      order.indexOf('POST /api/connections'),
    )
    expect(order[0]).toBe('POST /api/agents')
    expect(order.slice(-2)).toEqual(['POST /api/datamasking-rules', 'PUT /api/connections/pg-main'])
  })

  it('is closed there as long as it is not masked: hoop may refuse the rules', async () => {
    await using hoop = await HoopServer.start()
    hoop.hasMaskingProvider = false
    await expect(migrate(hoop)).rejects.toThrow()
    const modes = () =>
      hoop.connections.map(({ access_mode_runbooks, access_mode_exec, access_mode_connect }) => [
        ...[access_mode_runbooks, access_mode_exec, access_mode_connect],
      ])
    const bash = ['disabled', 'enabled', 'enabled']
    expect(hoop.connections.map(({ name }) => name)).toEqual(['pg-main', 'bash-ops'])
    expect(modes()).toEqual([['disabled', 'disabled', 'disabled'], bash])
    // Somebody has opened it in hoop meanwhile: it is closed again, and opened when it is masked.
    Object.assign(hoop.connections[0] ?? {}, { access_mode_exec: 'enabled', connection_tags: { own: 'x' } })
    await expect(migrate(hoop)).rejects.toThrow()
    expect(modes()[0]).toEqual(['disabled', 'disabled', 'disabled'])
    hoop.hasMaskingProvider = true
    await migrate(hoop)
    expect(modes()).toEqual([['enabled', 'disabled', 'disabled'], bash])
    expect(hoop.connections[0]).toMatchObject({ connection_tags: { own: 'x', env: 'prod' } })
  })

  it('leaves the new key of an agent in a private file, and nowhere else', async () => {
    await using hoop = await HoopServer.start()
    using place = new Workplace()
    await migrate(hoop, { place })
    const file = place.at('keys', 'db-host.key')
    expect(readFileSync(file, 'utf8')).toMatch(/^grpc:\/\/db-host:xagt-k{43}@\S+\n$/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('is nothing the second time', async () => {
    await using hoop = await HoopServer.start()
    await migrate(hoop)
    const before = hoop.writes.length
    const steps = await migrate(hoop)
    expect(steps.filter(({ action }) => action !== 'same')).toEqual([])
    expect(hoop.writes).toHaveLength(before)
  })

  it('changes what differs, by name, and keeps what somebody has added in hoop', async () => {
    await using hoop = await HoopServer.start()
    await migrate(hoop)
    Object.assign(hoop.connections[0] ?? {}, {
      ...{ command: ['mysql'], guardrail_rules: ['of-hoop', hoop.guardrails[0]?.['id']] },
      ...{
        connection_tags: { env: 'prod', team: 'db' },
        secret: { 'envvar:HOST': base64('other'), 'envvar:MORE': 'eA==' },
      },
    })
    Object.assign(hoop.reviewRules[0] ?? {}, { connection_names: ['pg-main', 'of-hoop'] })
    Object.assign(hoop.repositories[0] ?? {}, { git_password: 'old', ssh_key: 'kept' })
    const changed = (await migrate(hoop)).filter(({ action }) => action !== 'same')
    expect(changed.map(({ name, parts }) => [name, parts])).toEqual([
      ['ops', ['git_password']],
      ['review-dba', ['connection_names']],
      ['pg-main', ['command', 'secret HOST', 'secret PASS', 'secret RUNBOOK_AGENT_CLIENT_ESCAPES']],
    ])
    expect(hoop.connections[0]).toMatchObject({
      command: ['psql', '-h', '$HOST'],
      connection_tags: { env: 'prod', team: 'db' },
      guardrail_rules: [...['of-hoop', hoop.guardrails[0]?.['id']]].toSorted(),
      secret: { 'envvar:HOST': base64('127.0.0.1'), 'envvar:MORE': 'eA==' },
    })
    expect(hoop.reviewRules[0]?.['connection_names']).toEqual(['bash-ops', 'of-hoop', 'pg-main'])
    expect(hoop.repositories[0]).toMatchObject({ git_password: 'pass-word', ssh_key: 'kept' })
    expect((await planned(hoop)).steps.every(({ action }) => action === 'same')).toBe(true)
  })

  it('takes secrets that hoop does not show as the same, and writes them again when it is asked to', async () => {
    await using hoop = await HoopServer.start()
    await migrate(hoop)
    hoop.hidesSecrets = true
    Object.assign(hoop.connections[0]?.['secret'] ?? {}, { 'envvar:PASS': base64('other') })
    const { steps, notes } = await planned(hoop)
    expect(steps.every(({ action }) => action === 'same')).toBe(true)
    expect(JSON.stringify(notes)).toMatch(/hoop does not show the values of HOST, PASS/)
    await migrate(hoop, { secrets: true })
    expect(hoop.connections[0]?.['secret']).toMatchObject({ 'envvar:PASS': base64('the-pass-of-pg') })
  })
})

describe('what would be open wider in hoop', () => {
  const forGroups = SETTINGS.replace('access: { exec: false }', 'access: { exec: true, groups: [dba] }')

  it('is closed there: a connection for some groups, while access control is off', async () => {
    await using hoop = await HoopServer.start()
    await migrate(hoop, { settings: forGroups })
    expect(hoop.connections[0]).toMatchObject({
      ...{ access_mode_runbooks: 'disabled', access_mode_exec: 'disabled', access_mode_connect: 'disabled' },
    })
    expect(hoop.accessControl).toBeUndefined()
    const { notes } = await planned(hoop, { settings: forGroups })
    expect(JSON.stringify(notes)).toMatch(/closed in hoop, because the connection is only for dba/)
  })

  it('is opened with its groups when access control may be switched on', async () => {
    await using hoop = await HoopServer.start()
    await migrate(hoop, { settings: forGroups })
    await migrate(hoop, { settings: forGroups, accessControl: true })
    const [main] = hoop.connections
    expect(main).toMatchObject({ access_mode_exec: 'enabled' })
    expect(hoop.accessControl?.get(String(main?.['id']))).toEqual(['dba'])
    expect(hoop.runbookRules[0]).toMatchObject({ user_groups: ['dba'] })
    expect(
      (await planned(hoop, { settings: forGroups })).steps.every(({ action }) => action === 'same'),
    ).toBe(true)
  })

  it('is closed there: runbooks that others have to approve, or of a folder here', async () => {
    await using hoop = await HoopServer.start()
    const byPath = SETTINGS.replace(
      'path: sql/ }',
      'path: sql/, review: [{ path: sql/prod/**, groups: [admin] }] }',
    )
    await migrate(hoop, { settings: byPath })
    expect(hoop.connections[0]).toMatchObject({ access_mode_runbooks: 'disabled' })
    await using other = await HoopServer.start()
    const local = SETTINGS.replace(/url: '.*'/, 'url: ./runbooks')
    const { notes } = await migrate(other, { settings: local }).then(() =>
      planned(other, { settings: local }),
    )
    expect(other.connections[0]).toMatchObject({ access_mode_runbooks: 'disabled' })
    expect(other.repositories).toEqual([])
    expect(JSON.stringify(notes)).toMatch(/the repository is a folder on this machine/)
  })

  it('is said: arguments of callers, reviews, the free licence, names that are too short', async () => {
    await using hoop = await HoopServer.start()
    hoop.licence = 'oss'
    const settings = SETTINGS.replace('name: bash-ops', 'name: sh').replace(
      'masking:',
      '  - { name: more, input: [{ type: deny_words_list, words: [x] }] }\nmasking:',
    )
    const { notes } = await planned(hoop, { settings })
    const weaker = notes.filter(({ isWeaker }) => isWeaker).map(({ about }) => about)
    expect(weaker).toEqual(['pg-main', 'reviews'])
    const text = JSON.stringify(notes)
    expect(text).toMatch(/allows only one guardrail, but 2 would be needed/)
    expect(text).toMatch(/connection sh.*3 characters/)
    expect(text).toMatch(/user ada.*with the groups dba, admin/)
    expect(text).not.toMatch(/the-pass|the-token|the-key|pass-word/)
  })
})

interface Asked extends Partial<MigrationOptions> {
  readonly settings?: string
  readonly place?: Workplace
}

async function planned(hoop: HoopServer, { settings: text = SETTINGS, place, ...options }: Asked = {}) {
  const settings = settingsOf(text)
  const env = { HOOP_APIURL: hoop.url, HOOP_TOKEN }
  const account = findAccount({ env, stored: undefined, file: '' })
  const carried = carriedOf(settings)
  const present = await readHoopState(
    account,
    carried.connections.map(({ name }) => name),
  )
  const all = { keyFolder: place?.at('keys'), accessControl: false, secrets: false, ...options }
  const migration = { settings, carried, present, ids: new Ids(), account, options: all }
  const steps = stepsOf(migration)
  return { steps, notes: notesOf(migration, steps) }
}

async function migrate(hoop: HoopServer, asked: Asked = {}): Promise<MigrationStep[]> {
  using place = new Workplace()
  const { steps } = await planned(hoop, { place, ...asked })
  for (const step of steps) if (step.action !== 'same') await step.write()
  return steps
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
