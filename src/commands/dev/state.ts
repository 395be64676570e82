import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { packageFiles } from '../../basics/files/package-files.ts'
import { claimFile, claimFolder, ForeignPathError } from '../../basics/files/private-path.ts'
import { explain, Failure } from '../exit-codes.ts'
import { gatewayYaml, REQUESTER, SHOP } from './first-settings.ts'
import { findsPostgres } from './postgres.ts'

const runFile = promisify(execFile)

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
  /** The token of the user who asks for the example that waits for an approval. */
  readonly requesterTokenFile: string
  /** The repository with the runbooks of the examples. */
  readonly shopFolder: string
  /** This file is there until all examples have been asked for. */
  readonly unfinishedExamples: string
  /** True if this start has made the settings, with the examples. */
  readonly isFirst: boolean
}

/** @throws Failure when git is missing or the folder cannot be written */
export async function prepareState(folder: string): Promise<DevState> {
  requireGit()
  const state = {
    configFile: path.join(folder, 'gateway.yaml'),
    tokenFile: path.join(folder, 'admin.token'),
    agentKeyFile: path.join(folder, 'agent.key'),
    credentialFile: path.join(folder, 'agent.credential'),
    agentConfigFile: path.join(folder, 'agent.yaml'),
    agentFolder: path.join(folder, 'agent'),
    requesterTokenFile: path.join(folder, `${REQUESTER}.token`),
    shopFolder: path.join(folder, SHOP),
    unfinishedExamples: path.join(folder, 'examples.unfinished'),
    isFirst: !existsSync(path.join(folder, 'gateway.yaml')),
  }
  try {
    // Without this, other users could plant or steal a token.
    claimFolder(folder)
    chmodSync(folder, 0o700)
    makeSecret(state.tokenFile, () => secret())
    makeSecret(state.agentKeyFile, () => `xagt-${secret()}`)
    writeOnce(state.agentConfigFile, () => '# Settings of the agent beside this gateway: see docs/agent.md.')
    await Promise.all([
      makeRepository(path.join(folder, 'runbooks'), packageFiles.runbooks),
      state.isFirst && makeSettings(state),
    ])
  } catch (error) {
    if (error instanceof Failure) throw error
    if (error instanceof ForeignPathError)
      throw new Failure(`the state folder is not safe: ${error.message}. Choose another folder with --state`)
    throw explain(error, `cannot write to ${folder}`, 'Choose a folder you may write to with --state')
  }
  return state
}

/** Makes the examples first, because the settings refer to them. */
async function makeSettings(state: DevState): Promise<void> {
  const { configFile, requesterTokenFile, shopFolder, unfinishedExamples } = state
  writeOnce(unfinishedExamples, () => 'The next start runs the examples that have not run.')
  makeSecret(requesterTokenFile, () => secret())
  const [hasPostgres] = await Promise.all([findsPostgres(), makeRepository(shopFolder, packageFiles.shop)])
  writeOnce(configFile, () => gatewayYaml({ hasPostgres }))
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
async function makeRepository(folder: string, from: string): Promise<void> {
  if (existsSync(folder)) return
  const unfinished = `${folder}.new`
  rmSync(unfinished, { recursive: true, force: true })
  cpSync(from, unfinished, { recursive: true })
  const git = (...args: string[]) => runFile('git', args, { cwd: unfinished, env: commitEnvironment() })
  await git('init', '--quiet', '--initial-branch=main')
  await git('add', '--all')
  await git('commit', '--quiet', '--message=Add the example runbooks')
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
