import type { FastifyInstance } from 'fastify'
import type { Input } from '../../../template/runbook.ts'
import { hoopWords } from '../../../wire/gateway-words.ts'
import type { ListedRunbook, Listing } from '../../runbooks/catalog.ts'
import { RunbookError } from '../../refusals/runbook-errors.ts'
import { oldCopyText, type OldCopy } from '../../runbooks/old-copy.ts'
import type { NamedRepository } from '../../runbooks/repositories.ts'
import type { ConnectionSettings } from '../../settings/settings.ts'
import { firstOption, type Query } from '../http/query.ts'
import { HttpError } from '../http/http-error.ts'
import { liesInPath } from '../../executions/runbook-access.ts'
import type { RestServices } from '../services.ts'

/** Which runbooks can be run on which connections, with the parameters they ask for. */
export function runbookListRoutes(app: FastifyInstance, services: RestServices): void {
  app.get<{ Querystring: Query }>('/api/runbooks', async ({ user, query }) => {
    checkConfigured(services, hoopWords.noRunbookConfiguration)
    // The second is hoop's old name for it.
    const names = [firstOption(query, 'connection_name'), firstOption(query, 'connection')]
    const named = names.find((name) => name !== undefined && name !== '')
    const connections =
      named !== undefined ? [services.users.visibleConnection(user, named)] : services.users.connections(user)
    const lists = await listAll(services, connections, {
      withConnections: firstOption(query, 'list_connections') === 'true',
      withUnused: firstOption(query, 'remove_empty_connections') === 'false' && services.users.isAdmin(user),
    })
    return { ...lists, ...deprecatedCopy(lists) }
  })

  app.get('/api/plugins/runbooks/templates', async ({ user }) => {
    checkConfigured(services, hoopWords.noRunbooksPlugin)
    return firstVersion(await listAll(services, services.users.connections(user), { withConnections: true }))
  })

  app.get<{ Params: { name: string } }>(
    '/api/plugins/runbooks/connections/:name/templates',
    async ({ user, params }) => {
      const connection = services.users.visibleConnection(user, params.name)
      if (connection.runbooks === undefined)
        throw new HttpError('runbooks-not-configured', hoopWords.runbooksNotHere, 404)
      return firstVersion(await listAll(services, [connection], { withConnections: false }))
    },
  )
}

/** @throws HttpError 404 */
function checkConfigured({ repositories }: RestServices, text: string): void {
  if (repositories.all.length === 0) throw new HttpError('runbooks-not-configured', text, 404)
}

interface ListOptions {
  /** Each runbook with the connections on which it can be run. */
  readonly withConnections: boolean
  /** Those of all repositories that can be run on none of the connections, too. */
  readonly withUnused?: boolean
}

/** `openapi.RunbookListV2`: what could be read, and what could not. */
type RunbookLists = Awaited<ReturnType<typeof listAll>>

async function listAll(
  services: RestServices,
  connections: readonly ConnectionSettings[],
  options: ListOptions,
) {
  const errors: string[] = []
  const repositories: ReturnType<typeof viewOf>[] = []
  for (const { name } of services.repositories.all) {
    // It may have been replaced while the one before was read.
    const named = services.repositories.named(name)
    if (named === undefined) continue
    const users = connections.filter(
      ({ access, runbooks }) => access.runbooks && runbooks?.repository === named.name,
    )
    if (users.length === 0 && options.withUnused !== true) continue
    const folders = options.withUnused === true ? [''] : users.map(({ runbooks }) => runbooks?.path ?? '')
    const listing = await readListing(named, folders)
    if (typeof listing === 'string') errors.push(hoopWords.runbooksNotListed(named.key, listing))
    else {
      repositories.push(viewOf(named, listing, { users, withConnections: options.withConnections }))
      if (listing.oldCopy !== undefined) errors.push(`repo ${named.key}: ${oldCopyText(listing.oldCopy)}`)
      if (listing.isCut) errors.push(`repo ${named.key} has more runbooks or folders than are listed`)
    }
  }
  return { errors, repositories }
}

async function readListing(
  { repository }: NamedRepository,
  folders: readonly string[],
): Promise<(Listing & { readonly oldCopy?: OldCopy }) | string> {
  try {
    return await repository.list(folders)
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

function itemOf({ path, inputs, names, error }: ListedRunbook) {
  return {
    name: path,
    metadata: Object.fromEntries(inputs.map((input) => [input.name, metadataOf(input)])),
    error: error ?? null,
    // Ours: hoop does not name what only a block uses.
    ...(names && { used_names: names }),
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

/** As if there were one repository. Absent when there is nothing. */
function deprecatedCopy({ repositories }: RunbookLists): object {
  const [first] = repositories
  if (first === undefined) return {}
  const { commit, commit_author, commit_message } = first
  return { items: repositories.flatMap(({ items }) => items), commit, commit_author, commit_message }
}

/** From when there was one repository: all items, the first commit. @throws HttpError 422 when none can be read */
function firstVersion({ repositories, errors }: RunbookLists): object {
  const [first] = repositories
  if (first === undefined && errors.length > 0)
    throw new HttpError('repository-failed', errors.join('; '), 422)
  const { commit = '', commit_author = '', commit_message = '' } = first ?? {}
  return { items: repositories.flatMap(({ items }) => items), commit, commit_author, commit_message }
}
