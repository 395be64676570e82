import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { packageFiles } from '../../basics/files/package-files.ts'
import { claimFile, claimFolder, ForeignPathError } from '../../basics/files/private-path.ts'
import { explain, Failure } from '../exit-codes.ts'

/** The files of `dev`, which creates each file once. After that, the user may change them. */
export interface DevState {
  readonly configFile: string
  readonly tokenFile: string
  readonly agentKeyFile: string
  /** The agent's whole credential. Every start writes this file, because the credential contains the port. */
  readonly credentialFile: string
  /**
   * The agent's settings, at first empty. Without this file, the agent would read the settings of an
   * installed agent.
   */
  readonly agentConfigFile: string
  /** The folder of the agent's journal. */
  readonly agentFolder: string
}

/** @throws Failure when git is missing or the folder cannot be written */
export function prepareState(folder: string): DevState {
  requireGit()
  const state = {
    configFile: path.join(folder, 'gateway.yaml'),
    tokenFile: path.join(folder, 'admin.token'),
    agentKeyFile: path.join(folder, 'agent.key'),
    credentialFile: path.join(folder, 'agent.credential'),
    agentConfigFile: path.join(folder, 'agent.yaml'),
    agentFolder: path.join(folder, 'agent'),
  }
  try {
    // Without this, other users could plant or steal a token.
    claimFolder(folder)
    chmodSync(folder, 0o700)
    makeSecret(state.tokenFile, () => secret())
    makeSecret(state.agentKeyFile, () => `xagt-${secret()}`)
    writeOnce(state.configFile, gatewayYaml)
    writeOnce(state.agentConfigFile, () => '# Settings of the agent beside this gateway: see docs/agent.md.')
    makeRepository(path.join(folder, 'runbooks'))
  } catch (error) {
    if (error instanceof Failure) throw error
    if (error instanceof ForeignPathError)
      throw new Failure(`the state folder is not safe: ${error.message}. Choose another folder with --state`)
    throw explain(error, `cannot write to ${folder}`, 'Choose a folder you may write to with --state')
  }
  return state
}

/** Writes the agent's credential, which has the form `grpc://local:<key>@host:port`. */
export function writeCredential(state: DevState, grpc: string): void {
  const key = readFileSync(state.agentKeyFile, 'utf8').trim()
  const address = grpc.replace('grpc://', '')
  rmSync(state.credentialFile, { force: true })
  writeFileSync(state.credentialFile, `grpc://local:${key}@${address}?mode=standard\n`, {
    mode: 0o600,
    flag: 'wx',
  })
}

function requireGit(): void {
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore' })
  } catch {
    throw new Failure('cannot run git, which reads the repositories of runbooks. Install git and start again')
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url')
}

function makeSecret(file: string, content: () => string): void {
  if (!claimFile(file)) writeOnce(file, content)
}

function writeOnce(file: string, content: () => string): void {
  if (!existsSync(file)) writeFileSync(file, `${content().trimEnd()}\n`, { mode: 0o600, flag: 'wx' })
}

/**
 * Makes a repository in which the user can edit, commit and run. The folder gets its final name only when it
 * is complete.
 */
function makeRepository(folder: string): void {
  if (existsSync(folder)) return
  const unfinished = `${folder}.new`
  rmSync(unfinished, { recursive: true, force: true })
  cpSync(packageFiles.runbooks, unfinished, { recursive: true })
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: unfinished, stdio: 'pipe', env: commitEnvironment() })
  git('init', '--quiet', '--initial-branch=main')
  git('add', '--all')
  git('commit', '--quiet', '--message=Add the example runbooks')
  renameSync(unfinished, folder)
}

/** Returns an environment in which git does not use the user's configuration and hooks. */
function commitEnvironment(): NodeJS.ProcessEnv {
  const author = { name: 'runbook-agent', email: 'runbook-agent@localhost' }
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TEMPLATE_DIR: '',
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
  }
}

/** Returns the first gateway.yaml, which the user can edit. Its paths are relative to the file. */
export function gatewayYaml(): string {
  return `# The embedded gateway's settings. Edit them and start again; docs/settings.md explains each one.
listen: { http: 127.0.0.1:8009, grpc: 127.0.0.1:8010 }
state: .
users:
  - { name: admin, token: file://admin.token, groups: [admin] }
agents:
  - { name: local, key: file://agent.key }
repositories:
  # The examples. Commit a change in this folder and it runs, on the connection whose path it lies in.
  - { name: examples, url: ./runbooks, branch: main }
connections:
  - name: bash
    agent: local
    command: [bash]
    env: { GREETING: hello }
    secrets: {}
    # What runs here: the files of this folder of the repository. Without \`path\`, all of them.
    runbooks: { repository: examples, path: ops/ }
  - name: python
    agent: local
    command: [python3, '-']
    runbooks: { repository: examples, path: python/ }
  # A PostgreSQL on this machine: the agent tries its port before a session starts.
  - name: postgres
    agent: local
    type: database
    subtype: postgres
    command: [psql, -v, ON_ERROR_STOP=1, -A, -P, pager=off, -h, $HOST, -U, $USER, --port=$PORT, $DB]
    # Outputs may show values of env, and never those of secrets. PASS: '' if the server asks for no password.
    env: { HOST: 127.0.0.1, PORT: '5432', USER: postgres, DB: postgres }
    secrets: { PASS: postgres }
    runbooks: { repository: examples, path: sql/ }
`
}
