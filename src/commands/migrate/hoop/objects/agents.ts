import { ApiError } from '../../../../client/rest/http/api-error.ts'
import { fetchResource, writeResource } from '../../../../client/rest/resources.ts'
import { exitCodes, Failure } from '../../../failure.ts'
import { KeyFile } from '../../key-file.ts'
import { resourceNamed } from '../differences.ts'
import { sameStep, type Migration, type MigrationStep } from '../step.ts'

/** hoop makes a new key for each agent, and shows it once: it is in its file before anything else is done. */
export function agentSteps(migration: Migration): MigrationStep[] {
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
      `hoop has made the agent ${name} without showing its key: delete it there, and run this again`,
      exitCodes.unreachable,
    )
  file.keep(token)
  const made = await fetchResource(account, `/api/agents/${encodeURIComponent(name)}`)
  ids.set('agent', name, made?.['id'])
}

/** Without its answer nobody ever learns the key of an agent that was made. */
async function madeOnce<T>(name: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof ApiError) || !error.isAnswerLost) throw error
    const advice = `if the agent ${name} is there now, delete it, since its key is lost, and run this again`
    throw new Failure(`${error.message}: ${advice}`, exitCodes.unreachable)
  }
}
