import type { FastifyInstance } from 'fastify'
import type { Input } from '../../../template/runbook.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { ListedRunbook, Listing } from '../../runbooks/catalog.ts'
import { RunbookError } from '../../runbooks/errors.ts'
import { oldCopyText, type OldCopy } from '../../runbooks/old-copy.ts'
import type { ConnectionSettings } from '../../settings/settings.ts'
import { visibleConnection } from '../access.ts'
import { HttpError } from '../http-error.ts'
import { liesInPath } from './runbook-access.ts'
import type { NamedRepository, RestServices } from '../services.ts'

interface ListQuery {
  readonly connection_name?: unknown
  /** hoop's old name for it. */
  readonly connection?: unknown
  readonly list_connections?: unknown
}

/** Which runbooks can be run on which connections, with the parameters they ask for. */
export function runbookListRoutes(app: FastifyInstance, services: RestServices): void {
  app.get<{ Querystring: ListQuery }>('/api/runbooks', ({ user, query }) => {
    const named = [query.connection_name, query.connection].find(
      (name) => typeof name === 'string' && name !== '',
    )
    const connections =
      typeof named === 'string'
        ? [visibleConnection(services.users, user, named)]
        : services.users.connections(user)
    return listAll(services, connections, query.list_connections === 'true')
  })

  app.get('/api/plugins/runbooks/templates', async ({ user }) => {
    return firstVersion(await listAll(services, services.users.connections(user), true))
  })

  app.get<{ Params: { name: string } }>(
    '/api/plugins/runbooks/connections/:name/templates',
    async ({ user, params }) => {
      const connection = visibleConnection(services.users, user, params.name)
      if (connection.runbooks === undefined)
        throw new HttpError('runbooks-not-configured', hoopWords.runbooksNotHere, 404)
      return firstVersion(await listAll(services, [connection], false))
    },
  )
}

/** `openapi.RunbookListV2`: what could be read, and what could not. */
type RunbookLists = Awaited<ReturnType<typeof listAll>>

async function listAll(
  services: RestServices,
  connections: readonly ConnectionSettings[],
  withConnections: boolean,
) {
  const errors: string[] = []
  const repositories: ReturnType<typeof viewOf>[] = []
  for (const named of services.repositories) {
    const users = connections.filter(
      ({ access, runbooks }) => access.runbooks && runbooks?.repository === named.name,
    )
    if (users.length === 0) continue
    const listing = await readListing(named, users)
    if (typeof listing === 'string') errors.push(hoopWords.runbooksNotListed(named.key, listing))
    else {
      repositories.push(viewOf(named, listing, { users, withConnections }))
      if (listing.oldCopy !== undefined) errors.push(`repo ${named.key}: ${oldCopyText(listing.oldCopy)}`)
      if (listing.isCut) errors.push(`repo ${named.key} has more runbooks or folders than are listed`)
    }
  }
  return { errors, repositories }
}

async function readListing(
  { repository }: NamedRepository,
  users: readonly ConnectionSettings[],
): Promise<(Listing & { readonly oldCopy?: OldCopy }) | string> {
  try {
    return await repository.list(users.map(({ runbooks }) => runbooks?.path ?? ''))
  } catch (error) {
    if (error instanceof RunbookError) return error.message
    throw error
  }
}

/** `openapi.RunbookRepositoryList`. */
function viewOf(
  { key }: NamedRepository,
  { commit, author, message, runbooks }: Listing,
  options: { readonly users: readonly ConnectionSettings[]; readonly withConnections: boolean },
) {
  const items = runbooks.map((runbook) => {
    const connections = options.users.filter((user) => liesInPath(user, runbook.path)).map(({ name }) => name)
    return { ...itemOf(runbook), ...(options.withConnections && { connections }) }
  })
  return { repository: key, commit, commit_author: author, commit_message: message, items }
}

function itemOf({ path, inputs, error }: ListedRunbook) {
  return {
    name: path,
    metadata: Object.fromEntries(inputs.map((input) => [input.name, metadataOf(input)])),
    error: error ?? null,
  }
}

/** As hoop's parser: `required` is what the template declares, not whether it may be left out. */
function metadataOf(input: Input): object {
  return {
    description: input.description ?? '',
    required: input.required !== undefined,
    type: input.type,
    default: input.default,
    placeholder: input.placeholder,
    options: input.options,
    pattern: input.pattern,
    minlength: input.minlength,
    maxlength: input.maxlength,
    order: input.order,
    asenv: input.asenv,
  }
}

/** From when there was one repository: all items, the first commit. @throws HttpError 422 when none can be read */
function firstVersion({ repositories, errors }: RunbookLists): object {
  const [first] = repositories
  if (first === undefined && errors.length > 0)
    throw new HttpError('repository-failed', errors.join('; '), 422)
  const { commit = '', commit_author = '', commit_message = '' } = first ?? {}
  return { items: repositories.flatMap(({ items }) => items), commit, commit_author, commit_message }
}
