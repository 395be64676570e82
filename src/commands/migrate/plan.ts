import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { claimFolder, ForeignPathError } from '../../basics/files/private-path.ts'
import { ApiError } from '../../client/rest/api-error.ts'
import {
  fetchResource,
  writeResource,
  type Migration,
  type MigrationStep,
  sameStep,
  resourceNamed,
} from './step.ts'
import { exitCodes, explain, Failure } from '../exit-codes.ts'
import { accessControlSteps, groupSteps, connectionSteps, openingSteps } from './connections.ts'
import { guardrailSteps, jiraSteps, repositorySteps, runbookRuleSteps } from './stored.ts'
import { maskingRuleSteps, reviewRuleSteps } from './rules.ts'

/**
 * The order matters: what a connection needs comes before the connection, and its protection is complete
 * before it is opened.
 */
export function stepsOf(migration: Migration): MigrationStep[] {
  return [
    agentSteps,
    guardrailSteps,
    jiraSteps,
    repositorySteps,
    reviewRuleSteps,
    runbookRuleSteps,
    accessControlSteps,
    connectionSteps,
    groupSteps,
    maskingRuleSteps,
    openingSteps,
  ].flatMap((steps) => steps(migration))
}

/**
 * hoop shows a new agent's key only once. The step writes the key to its file before the next step begins.
 */
function agentSteps(migration: Migration): MigrationStep[] {
  return migration.carried.agents.map((name) => {
    const present = resourceNamed(migration.present.agents, name)
    if (present === undefined)
      return { ...sameStep('agent', name), action: 'create', write: () => create(name, migration) }
    migration.ids.set('agent', name, present['id'])
    return sameStep('agent', name)
  })
}

async function create(name: string, { account, options, ids }: Migration): Promise<void> {
  if (options.keyFolder === undefined) throw new Error(`no folder for the key of agent ${name}`)
  using file = KeyFile.claim(options.keyFolder, name)
  const { token } = await madeOnce(
    name,
    writeResource(account, 'POST', '/api/agents', { name, mode: 'standard' }),
  )
  if (typeof token !== 'string' || token === '')
    throw new Failure(
      `hoop created the agent ${name}, but did not show its key: delete the agent in hoop, and run this command again`,
      exitCodes.unreachable,
    )
  file.keep(token)
  const made = await fetchResource(account, `/api/agents/${encodeURIComponent(name)}`)
  ids.set('agent', name, made?.['id'])
}

/** Advises how to recover if hoop's answer is lost: the key of the created agent is lost with the answer. */
async function madeOnce<T>(name: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof ApiError) || !error.isAnswerLost) throw error
    const advice = `if hoop now has the agent ${name}, delete this agent, because its key is lost, and run this command again`
    throw new Failure(`${error.message}: ${advice}`, exitCodes.unreachable)
  }
}

/**
 * The file has mode 0600. It is created before hoop makes the key, so that a full disk is noticed in time.
 */
class KeyFile implements Disposable {
  readonly #file: string
  readonly #descriptor: number
  #isKept = false

  /** @throws Failure when the file exists or cannot be created */
  static claim(folder: string, agent: string): KeyFile {
    const file = path.join(folder, `${agent}.key`)
    try {
      claimFolder(folder)
      return new KeyFile(file, openSync(file, 'wx', 0o600))
    } catch (error) {
      if (error instanceof ForeignPathError) throw new Failure(error.message)
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw explain(error, `cannot write ${file}`, 'Name another folder with --agent-keys')
      const advice =
        'the file may have the key of another agent with this name. Name another folder with --agent-keys'
      throw new Failure(`${file} exists already: ${advice}`, exitCodes.usage)
    }
  }

  private constructor(file: string, descriptor: number) {
    this.#file = file
    this.#descriptor = descriptor
  }

  /** @throws the system's error */
  keep(key: string): void {
    this.#isKept = true
    writeSync(this.#descriptor, `${key}\n`)
    fsyncSync(this.#descriptor)
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
    if (!this.#isKept) rmSync(this.#file, { force: true })
  }
}
