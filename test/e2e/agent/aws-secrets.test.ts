import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { AwsServer } from '../../support/secrets/aws-server.ts'
import { main } from '../../support/sites/program.ts'
import { Site } from '../../support/sites/site.ts'
import { Workplace } from '../../support/sites/workplace.ts'
import { shell } from '../../support/terminals/shell.ts'
import { contentsBelow } from '../../support/machine/contents-below.ts'

// `_aws` references of the built program, whose packages of AWS an installation may leave out.

const password = `password-${randomBytes(12).toString('hex')}`
const connections = [{ name: 'orders', command: ['bash'], env: { PASS: '_aws:db/orders:password' } }]
const script = 'echo ${#PASS}; echo "$PASS"'

async function awsWithSecrets(): Promise<AwsServer> {
  const aws = await AwsServer.start()
  aws.secrets['db/orders'] = JSON.stringify({ password })
  return aws
}

const nowhere = { AWS_CONFIG_FILE: '/nowhere', AWS_SHARED_CREDENTIALS_FILE: '/nowhere' }

describe('secrets of AWS', () => {
  it('are fetched by the agent with its own credentials, and written nowhere', async () => {
    await using aws = await awsWithSecrets()
    const env = { ...aws.variables, ...nowhere, LOG_LEVEL: 'debug' }
    await using site = await Site.start({ connections, env })
    const { body } = await site.rest.script('orders', script)
    expect(body).toMatchObject({ output: `${password.length}\n[REDACTED]\n`, exit_code: 0 })
    expect(aws.requests.map(({ target }) => target)).toEqual(['secretsmanager.GetSecretValue'])
    await site.agent.stop()
    await site.gateway.stop()
    const written = [site.agent.stdout, site.agent.stderr, site.gateway.stdout, site.gateway.stderr]
    for (const text of [...written, contentsBelow(site.place.path)]) expect(text).not.toContain(password)
  })

  it('are refused by an installation without the packages, with what to do, and all else is served', async () => {
    using place = new Workplace()
    place.write('gateway.yaml', settings)
    const main = installationWithout(place, ['@aws-sdk', '@smithy'])
    const local = (connection: string) =>
      shell(place, `node ${main} exec --local --config gateway.yaml ${connection} -i 'echo ran'`)
    const missing = (name: string) =>
      expect.stringContaining(
        `the package ${name} is not installed: reinstall runbook-agent with its optional packages`,
      ) as string
    expect(await local('orders')).toMatchObject({
      stdout: '',
      stderr: missing('@aws-sdk/client-secrets-manager'),
    })
    expect(await local('tokens')).toMatchObject({ stdout: '', stderr: missing('@smithy/signature-v4') })
    expect(await local('plain')).toEqual({ code: 0, stdout: 'ran\n', stderr: '' })
  })
})

const settings = `
users: [{ name: admin, token: a-token-for-tests-0123456789 }]
agents: [{ name: local, key: xagt-a-key-for-tests-0123456789 }]
connections:
  - { name: orders, agent: local, command: [bash], env: { PASS: '_aws:db/orders:password' } }
  - { name: tokens, agent: local, command: [bash], env: { EKS_CLUSTER: prod, EKS_AWS_REGION: eu-west-1 } }
  - { name: plain, agent: local, command: [bash] }
`

/** The built program with its packages, but for those of these scopes. @returns what to start */
function installationWithout(place: Workplace, scopes: readonly string[]): string {
  const installed = path.resolve(main, '../..')
  const modules = path.join(installed, 'node_modules')
  mkdirSync(place.at('bare', 'node_modules'), { recursive: true })
  for (const name of readdirSync(modules))
    if (!name.startsWith('.') && !scopes.includes(name))
      symlinkSync(path.join(modules, name), place.at('bare', 'node_modules', name))
  for (const name of ['dist', 'proto', 'package.json'])
    cpSync(path.join(installed, name), place.at('bare', name), { recursive: true })
  return place.at('bare', 'dist', 'main.js')
}
