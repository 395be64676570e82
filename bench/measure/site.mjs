import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Program } from '../program.mjs'

/**
 * Starts the embedded gateway and its agent as two processes, with a connection `sh` that runs `bash` and may run
 * runbooks.
 * @param {string} folder folder for all files, which is created here
 * @param {string} repository a git repository
 * @param {readonly string[]} people more users, beside the one whose token is in `env`
 */
export async function openSite(folder, repository, people = []) {
  mkdirSync(folder)
  const token = randomBytes(32).toString('hex')
  const key = `xagt-${randomBytes(16).toString('hex')}`
  const config = path.join(folder, 'gateway.yaml')
  const users = [
    { name: 'bench', token, groups: ['admin'] },
    ...people.map((name) => ({ name, token: randomBytes(32).toString('hex') })),
  ]
  writeFileSync(config, gatewayYaml(users, key, repository), { mode: 0o600 })
  const gateway = new Program(['gateway', '--config', config, '--json'], {}, path.join(folder, 'gateway'))
  const { http, grpc } = JSON.parse(await gateway.firstLine())
  const HOOP_KEY = grpc.replace('grpc://', `grpc://bench:${key}@`) + '?mode=standard'
  const agent = new Program(['start'], { HOOP_KEY }, path.join(folder, 'agent'))
  return {
    /** Arguments for the driver, in addition to `env`. */
    target: ['rest', String(gateway.pid)],
    /**
     * Environment of a client. The token is not in an argument, because every user of the machine can read arguments,
     * and could run `bash` with the token.
     */
    env: { HOOP_APIURL: http, HOOP_GRPCURL: grpc, HOOP_TOKEN: token },
    /** Token of each user, by name. */
    tokens: new Map(users.map((user) => [user.name, user.token])),
    processes: { gateway: gateway.pid, agent: agent.pid },
    async close() {
      await agent.stop()
      await gateway.stop()
    },
  }
}

function gatewayYaml(users, key, repository) {
  return `listen: { http: 127.0.0.1:0, grpc: 127.0.0.1:0 }
state: ./state
users: ${JSON.stringify(users)}
agents: [{ name: bench, key: ${key} }]
repositories: [{ name: bench, url: ${repository}, branch: main }]
connections: [{ name: sh, agent: bench, command: [bash], runbooks: { repository: bench } }]
`
}
