import type { executionContract } from '../../contract/executions.ts'
import type { Agents } from '../agents/agents.ts'
import type { Asked, Handlers } from '../handlers.ts'
import type { History } from '../history/history.ts'
import type { Locks } from '../locks/locks.ts'
import type { LongWork } from '../long-work.ts'
import type { Users } from '../people/identities/users.ts'
import { refused } from '../refusals/request-refused.ts'
import { ReviewFacts } from '../reviews/review-facts.ts'
import type { ScriptExecution } from '../sessions/executions.ts'
import type { CurrentSettings } from '../settings/settings.ts'
import { DatabaseSchemas } from './database-schema.ts'
import type { ChoiceLists } from './choices/choice-lists.ts'
import { offeredChoices } from './choices/offered-choices.ts'
import { foreseen } from './foresight.ts'
import { checkLimits } from './limits.ts'
import { answerInTime, executeOrAsk, type ReviewedExecutionServices } from './reviewed-execution.ts'
import { Pairs, type PairExecution, type PairServices } from './pairs.ts'
import { allowedRepository } from './runbook-access.ts'
import { executionRequest } from './runbook-execution.ts'
import { previewRunbook } from './runbook-preview.ts'
import { foreseenScript, ScriptRules } from './script-foresight.ts'

type Contract = typeof executionContract
type Asking = Pick<Asked<Contract['script']>, 'user' | 'token' | 'caller' | 'headers'>

interface ExecutionRouting extends ReviewedExecutionServices, PairServices {
  readonly agents: Pick<Agents, 'isOnline'>
  readonly history: History
  readonly lists: ChoiceLists
  readonly locks: Locks
  readonly longWork: LongWork
  readonly settings: CurrentSettings
  readonly users: Users
}

export function executionRoutes(services: ExecutionRouting): Handlers<Contract> {
  const { users, longWork } = services
  const facts = new ReviewFacts(services)
  const rules = new ScriptRules()
  const pairs = new Pairs(services)
  const schemas = new DatabaseSchemas((execution) => services.executions.execute(execution))

  /** @param file file of the runbook */
  const answer = (asking: Asking, execution: ScriptExecution, file?: string) => {
    const { user, token: askedWith, caller: clientIp, headers } = asking
    const asked = { user, execution: { ...execution, clientIp, askedWith }, file }
    return answerInTime(headers, (wait) => executeOrAsk(services, asked, wait))
  }
  const runRunbook = async (asking: Asking, asked: PairExecution) => {
    using paired = await pairs.prepare(asked)
    return await answer(asking, paired.execution, paired.file)
  }

  const scriptConnection = (user: Asking['user'], name: string) =>
    users.visibleConnection(user, name, () => refused('connection-not-found/session', { name }))

  return {
    runbook: (asked) => {
      const { user, params } = asked
      // Finds the connection first, so that a missing connection is reported before errors in the body.
      const connection = users.visibleConnection(user, params.name)
      const repository = connection.runbooks?.repository
      return runRunbook(asked, { user, connection, repository, body: asked.body })
    },
    repositoryRunbook: (asked) => {
      const { user, body } = asked
      const connection = users.visibleConnection(user, body.connection_name)
      const repository = allowedRepository(services, connection, body.repository)
      return runRunbook(asked, { user, connection, repository, body })
    },
    render: ({ user, body }) => {
      const connection = users.visibleConnection(user, body.connection_name)
      const { repository: asked } = body
      const own = connection.runbooks?.repository
      const repository = asked ? allowedRepository(services, connection, asked) : own
      // A preview is refused here with an error status, because previews are not recorded. Refused executions
      // are recorded.
      if (!connection.access.runbooks) throw refused('not-permitted/use', { use: 'runbooks' })
      return previewRunbook(services, { connection, repository, body }, body.incomplete)
    },
    choices: ({ user, token: askedWith, caller: clientIp, query }) => {
      const name = requiredOption(query, 'connection_name')
      const file = requiredOption(query, 'file_name')
      const parameter = requiredOption(query, 'parameter')
      const connection = users.visibleConnection(user, name)
      if (!connection.access.runbooks) throw refused('not-permitted/use', { use: 'runbooks' })
      return offeredChoices(services, {
        ...{ user, connection, file, parameter, clientIp, askedWith },
        refHash: query.ref_hash ?? '',
        of: query.of,
        isCached: query.cached === true,
      })
    },
    foresee: ({ user, body }) => {
      const { file_name: file, repository } = body
      const decidersOf = facts.decidersBefore()
      return body.connections.map((name) => {
        const connection = users.visibleConnection(user, name)
        if (repository) allowedRepository(services, connection, repository)
        return foreseen({ ...services, decidersOf }, user, connection, file)
      })
    },
    script: (asked) => {
      const { user, body } = asked
      checkLimits(body)
      const connection = scriptConnection(user, body.connection)
      const common = executionRequest({
        user,
        connection,
        body,
        script: Buffer.from(body.script),
        envVars: new Map(Object.entries(body.env_vars)),
      })
      return answer(asked, { ...common, origin: 'client-api', labels: ownLabels(body.labels) })
    },
    schema: ({ user, token: askedWith, caller: clientIp, body: { connection: name, fresh } }) =>
      schemas.read(user, scriptConnection(user, name), { askedWith, clientIp }, fresh),
    foreseeScript: async ({ user, body: { connection: name, script } }) => {
      const connection = scriptConnection(user, name)
      const decidersOf = facts.decidersBefore()
      const foreseen = foreseenScript({ ...services, decidersOf }, user, connection)
      if (!script) return { ...foreseen, refused: null }
      const judge = () => rules.refusal(connection, Buffer.from(script))
      return { ...foreseen, refused: await longWork.run(user.name, judge, Buffer.byteLength(script)) }
    },
  }
}

/** @throws RequestRefused 400 */
function requiredOption<Name extends string>(
  query: Readonly<Record<Name, string | undefined>>,
  option: Name,
): string {
  const given = query[option]
  if (given !== undefined && given !== '') return given
  throw refused('invalid-request/required', { option })
}

/** Drops labels about runbooks, which only the gateway may set. */
function ownLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith('runbook')))
}
