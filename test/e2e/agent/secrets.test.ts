import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { VaultServer } from '../../support/secrets/vault-server.ts'
import { SocketFolder } from '../../support/machine/temporary-folder.ts'
import { runProgram } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import { waitFor } from '../../support/wait.ts'
import { contentsBelow } from '../../support/machine/contents-below.ts'

const marked = (name: string) => `${name}-${randomBytes(12).toString('hex')}`
const marks = {
  password: marked('password'),
  file: marked('file'),
  unused: marked('unused'),
  secretId: marked('secret-id'),
}
const connections = [
  {
    name: 'orders',
    command: ['bash'],
    env: { PASS: '_vaultkv2:kv/data/orders:password', HOST: '_envjson:DB:host' },
    secrets: { 'filesystem:CERT': Buffer.from('_vaultkv1:old/orders:file').toString('base64') },
  },
  {
    name: 'wrong',
    command: ['bash'],
    env: { PASS: '_vaultkv2:kv/data/orders:no', OTHER: '_vaultkv1:gone:k' },
  },
  { name: 'slow', command: ['bash'], env: { PASS: '_vaultkv1:slow:k' } },
]
const script = 'echo ${#PASS} $(wc -c < "$CERT") $HOST; echo "$PASS"; env | grep -c VAULT_ || true'

async function vaultWithSecrets(): Promise<VaultServer> {
  const vault = await VaultServer.start()
  const { password, file, unused, secretId } = marks
  vault.secrets['kv/data/orders'] = { data: { data: { password, unused }, metadata: {} } }
  vault.secrets['old/orders'] = { data: { file } }
  vault.logins['approle'] = { role_id: 'agent', secret_id: secretId }
  return vault
}

const settings = (vault: VaultServer) => ({
  VAULT_ADDR: vault.address,
  VAULT_APP_ROLE_ID: 'agent',
  VAULT_APP_ROLE_SECRET_ID: marks.secretId,
  DB: '{"host":"db.example"}',
})

describe('references of a connection', () => {
  it('are fetched by the agent, and nothing that was fetched or signs in is written anywhere', async () => {
    await using vault = await vaultWithSecrets()
    const env = { ...settings(vault), LOG_LEVEL: 'debug', LOG_ENCODING: 'json' }
    await using site = await Site.start({ connections, env })
    const good = await site.rest.script('orders', script)
    const { password, file } = marks
    expect(good.body.output).toBe(`${password.length} ${file.length} db.example\n[REDACTED]\n0\n`)
    const wrong = await site.rest.script('wrong', script)
    expect([wrong.body.exit_code, wrong.body.output]).toEqual([
      254,
      'failed decoding environment variables ["envvar:OTHER (gone) vault error response, status=404, errs=" ' +
        '"envvar:PASS secret id kv/data/orders found, but key no was not"]',
    ])
    expect(site.secretFiles()).toEqual([])
    const told = JSON.stringify([good, wrong, await site.rest.session(good.body.session_id)])
    await site.agent.stop()
    await site.gateway.stop()
    const places = {
      told,
      'log of the agent': site.agent.stdout + site.agent.stderr,
      'log of the gateway': site.gateway.stdout + site.gateway.stderr,
      // The journal and the history among them.
      files: contentsBelow(site.place.path),
    }
    expect(places['log of the agent']).toContain(good.body.session_id)
    expect(places.files).toContain(good.body.session_id)
    expect(places.files).toContain('_vaultkv2:kv/data/orders:password')
    for (const [mark, value] of Object.entries({ ...marks, token: 'hvs.issued' }))
      expect([mark, Object.keys(places).filter((name) => places[name as 'told'].includes(value))]).toEqual([
        mark,
        [],
      ])
  })

  it('are not waited for by a session that is killed', async () => {
    await using vault = await VaultServer.start()
    vault.answer = () => undefined
    await using site = await Site.start({
      connections,
      env: { ...settings(vault), VAULT_HTTP_REQ_TIMEOUT: '10m' },
    })
    const killed = site.rest.script('slow', script)
    await waitFor(() => vault.requests.length > 0)
    const list = JSON.parse((await site.rest.send('GET', '/api/sessions')).body) as { data: { id: string }[] }
    await site.rest.kill(list.data[0]?.id ?? '')
    expect((await killed).body.output).toContain('session killed')
    // A stop would wait for it.
    await site.agent.stop()
  })
})

describe('references of a connection, with an agent that has no store,', () => {
  let site: Site
  beforeAll(async () => {
    site = await Site.start({ connections })
  })
  afterAll(() => site[Symbol.asyncDispose]())

  it('are fetched with --local too, with what is set there', async () => {
    await using vault = await vaultWithSecrets()
    site.place.write('script.sh', script)
    const args = ['exec', '--local', '--config', 'gateway.yaml', 'orders', '--file', 'script.sh']
    const { code, stdout } = await runProgram(site.place, args, settings(vault))
    expect([code, stdout]).toEqual([
      0,
      `${marks.password.length} ${marks.file.length} db.example\n${marks.password}\n0\n`,
    ])
  })

  it('are taken by the gateway as they are: it fetches nothing', async () => {
    await using vault = await vaultWithSecrets()
    for (const args of [
      ['config', 'check', '--gateway', 'gateway.yaml'],
      ['config', 'print', '--gateway', 'gateway.yaml'],
    ])
      expect(await runProgram(site.place, args, settings(vault))).toMatchObject({ code: 0 })
    expect(vault.requests).toEqual([])
  })
  const vaultLine = async (env: Record<string, string>) => {
    const { stdout, stderr } = await runProgram(
      site.place,
      ['doctor', '--json', '--key-file', 'agent.credential'],
      env,
    )
    for (const value of Object.values(marks)) expect(stdout + stderr).not.toContain(value)
    const { checks } = JSON.parse(stdout) as { checks: { name: string; level: string; found: string }[] }
    return checks.filter(({ name }) => name === 'vault').map(({ level, found }) => `${level} ${found}`)
  }

  it('are no reason for doctor to speak of Vault; it signs in where that is set up', async () => {
    await using vault = await vaultWithSecrets()
    const VAULT_ADDR = vault.address
    expect(await vaultLine({})).toEqual([])
    expect(await vaultLine(settings(vault))).toEqual(['ok Vault answers and accepts the login by approle'])
    expect(await vaultLine({ VAULT_ADDR, VAULT_TOKEN: 'root-token-0123456789' })).toEqual([
      'ok Vault answers and accepts the token',
    ])
    expect(await vaultLine({ VAULT_ADDR, VAULT_TOKEN: marks.unused })).toEqual([
      'broken Vault cannot be used: vault error response, status=403, errs=permission denied',
    ])
    expect(await vaultLine({ VAULT_ADDR })).toEqual([
      'broken Vault cannot be used: VAULT_TOKEN and/or VAULT_ADDR env not set',
    ])
    expect(await vaultLine({ VAULT_ADDR: 'http://127.0.0.1:1', VAULT_TOKEN: 'x' })).toEqual([
      'broken Vault cannot be used: Get "http://127.0.0.1:1/v1/auth/token/lookup-self": dial tcp 127.0.0.1:1: connect: connection refused',
    ])
    expect(vault.asked.every((asked) => asked.includes('/v1/auth/'))).toBe(true)
  })
})

describe('a connection', () => {
  it('shows what is under env where secrets has its secrets, and hides all of it where it does not', async () => {
    using sockets = new SocketFolder()
    const runtime = { RUNBOOK_AGENT_RUNTIME_DIR: sockets.path }
    const env = { PLACE: 'web-06', TOKEN: 'kJ8xx2p91Qagg' }
    const common = { command: ['bash'], env }
    await using site = await Site.start({
      env: runtime,
      connections: [
        { name: 'tells', ...common, secrets: { PASS: 'kJ8xx2p91Qaff' } },
        { name: 'has-none', ...common, secrets: {} },
        {
          name: 'older',
          ...common,
          secrets: { 'envvar:PASS': Buffer.from('kJ8xx2p91Qaff').toString('base64') },
        },
      ],
    })
    const ask = async (name: string) => {
      const { body } = await site.rest.script(name, 'echo "$PLACE $PASS $TOKEN"; : web-06')
      const { script } = (await site.rest.session(body.session_id)) as unknown as { script: { data: string } }
      return [body.output, script.data.includes('web-06')]
    }
    expect(await ask('tells')).toEqual(['web-06 [REDACTED] [REDACTED]\n', true])
    expect(await ask('has-none')).toEqual(['web-06  [REDACTED]\n', true])
    expect(await ask('older')).toEqual(['[REDACTED] [REDACTED] [REDACTED]\n', false])
    const said = site.agent.stderr.split('\n').filter((line) => line.includes('ordinary values'))
    expect(said).toEqual([expect.stringMatching(/older.*PLACE/)])
    expect(said.join()).not.toContain('web-06')
    const doctor = await runProgram(site.place, ['doctor', '--json'], runtime)
    expect(doctor.stdout).toMatch(/PLACE of older/)
    expect(doctor.stdout).not.toContain('web-06')
  })
})
