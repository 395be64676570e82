import { createHash } from 'node:crypto'
import { oneLine, printableText } from '../../basics/text/printable.ts'
import { soundsSecret } from '../../policy/redaction/secret-names.ts'
import type { Input } from '../../template/runbook.ts'
import type { GatewayUser } from '../identity.ts'
import type { Users } from '../people/identities/users.ts'
import { RunbookError } from '../refusals/runbook-errors.ts'
import { isInFolder, type ListedRunbook } from '../runbooks/catalog.ts'
import type { Repositories } from '../runbooks/repositories.ts'
import type { McpEffect, McpOffer } from '../settings/mcp.ts'
import type { ConnectionSettings, Current } from '../settings/settings.ts'

/** Models read all tools in each turn, so longer descriptions cost more than they tell. */
const MAX_DESCRIPTION_CHARACTERS = 1000
/** Words of the name. With the hash, a name has at most 40 characters. */
const MAX_WORDS_CHARACTERS = 31
const HASH_CHARACTERS = 8
/** The model's API refuses a request with any other name, and with it all tools. */
const PARAMETER_NAME = /^[A-Za-z0-9_.-]{1,64}$/
const SECRET_TYPES: ReadonlySet<string> = new Set(['password', 'file'])

/** A runbook that a machine may run. */
export interface RunbookTool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly path: string
  /** Name in gateway.yaml. */
  readonly repository: string
  /** Full id of the commit that was listed. */
  readonly commit: string
  readonly effect: McpEffect
  /** Parameters that the machine may give. Secret ones are left out. */
  readonly inputs: readonly Input[]
  /** Names of the connections on which the machine may run it. */
  readonly connections: readonly string[]
}

interface Offering {
  readonly users: Pick<Users, 'connections'>
  readonly repositories: Repositories
  readonly settings: Current<'mcp'>
}

export interface Offer {
  readonly tools: readonly RunbookTool[]
  /** Why runbooks of a repository are missing. */
  readonly problems: readonly string[]
}

/** Lists the tools of a machine, sorted by name. The listing of a commit is kept, so this reads no files. */
export async function offerFor(
  { users, repositories, settings }: Offering,
  user: GatewayUser,
): Promise<Offer> {
  const rules = rulesFor(settings.value.mcp, user.groups)
  const usable = users.connections(user).filter(({ access }) => access.runbooks)
  const tools: RunbookTool[] = []
  const problems: string[] = []
  for (const { name } of rules.length === 0 ? [] : repositories.all) {
    const connections = usable.filter(({ runbooks }) => runbooks?.repository === name)
    const repository = repositories.named(name)?.repository
    if (connections.length === 0 || repository === undefined) continue
    try {
      const listing = await repository.list(connections.map(({ runbooks }) => runbooks?.path ?? ''))
      for (const runbook of listing.runbooks) {
        const tool = toolOf(runbook, name, listing.commit, rules, connections)
        if (tool !== undefined) tools.push(tool)
      }
    } catch (error) {
      if (!(error instanceof RunbookError)) throw error
      problems.push(`repository ${name}: ${error.message}`)
    }
  }
  return { tools: tools.sort((a, b) => (a.name < b.name ? -1 : 1)), problems }
}

type Rules = McpOffer['runbooks']

function rulesFor(offers: readonly McpOffer[], groups: readonly string[]): Rules {
  return offers
    .filter((offer) => offer.groups.some((group) => groups.includes(group)))
    .flatMap(({ runbooks }) => runbooks)
}

function toolOf(
  runbook: ListedRunbook,
  repository: string,
  commit: string,
  rules: Rules,
  connections: readonly ConnectionSettings[],
): RunbookTool | undefined {
  const { path, title, description = '' } = runbook
  const effect = rules.find((rule) => rule.path.isFor(path))?.effect
  if (effect === undefined || obstacleOf(runbook) !== undefined) return undefined
  const own = connections.filter(({ runbooks }) => isInFolder(path, runbooks?.path ?? ''))
  if (own.length === 0) return undefined
  return {
    ...{ path, repository, commit, effect, name: toolName(repository, path) },
    title: oneLine(title ?? path),
    description: printableText(description).slice(0, MAX_DESCRIPTION_CHARACTERS).toWellFormed(),
    inputs: allInputs(runbook).filter((input) => !isSecret(input)),
    connections: own.map(({ name }) => name).sort(),
  }
}

/** The hash keeps the name when other runbooks come, and tells apart paths with the same words. */
export function toolName(repository: string, path: string): string {
  const words = path
    .replace(/\.runbook\.[^./]+$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
  const hash = createHash('sha256').update(`${repository}\0${path}`).digest('hex').slice(0, HASH_CHARACTERS)
  return `${words.slice(-MAX_WORDS_CHARACTERS).replace(/^_+|_+$/g, '') || 'runbook'}_${hash}`
}

/** Says why a runbook cannot be a tool, or returns undefined. */
function obstacleOf(runbook: ListedRunbook): string | undefined {
  const { error, first } = runbook
  if (error !== undefined) return error
  if (first !== undefined) return `a person has to look at the output of ${first} before it runs`
  const inputs = allInputs(runbook)
  const strange = inputs.find(({ name }) => !PARAMETER_NAME.test(name))
  if (strange !== undefined)
    return `a parameter has a name of more than 64 characters: ${strange.name.slice(0, 70)}`
  const secret = inputs.find((input) => isRequired(input) && isSecret(input))
  return secret && `parameter ${secret.name} is a required secret, and machines give no secrets`
}

function allInputs({ inputs, inBlocks = [] }: ListedRunbook): readonly Input[] {
  return [...inputs, ...inBlocks]
}

function isSecret({ name, type }: Input): boolean {
  return SECRET_TYPES.has(type) || soundsSecret(name)
}

export function isRequired({ required, optional }: Input): boolean {
  return required !== undefined && !optional
}

/**
 * Warns of runbooks that `mcp` names and that are no tools, and of tools without a title: clients find a tool by the
 * words of its title.
 * @param known the runbooks of each repository
 */
export function offerWarnings(
  {
    mcp,
    connections,
  }: { readonly mcp: readonly McpOffer[]; readonly connections: readonly ConnectionSettings[] },
  known: ReadonlyMap<string, readonly ListedRunbook[]>,
): string[] {
  return [...known].flatMap(([repository, runbooks]) => {
    const folders = connections
      .filter(({ access, runbooks: own }) => access.runbooks && own?.repository === repository)
      .map(({ runbooks: own }) => own?.path ?? '')
    return runbooks.flatMap((runbook) => {
      const { path, title } = runbook
      const isNamed = mcp.some((offer) => offer.runbooks.some((rule) => rule.path.isFor(path)))
      if (!isNamed || !folders.some((folder) => isInFolder(path, folder))) return []
      const obstacle = obstacleOf(runbook)
      if (obstacle !== undefined) return [`mcp: ${path} of repository ${repository} is no tool: ${obstacle}`]
      if (title !== undefined) return []
      return [
        `mcp: ${path} of repository ${repository} has no title, so AI agents will hardly find it; begin it with a comment that says what it does`,
      ]
    })
  })
}
