import type { ChoicesAnswer } from '../../../contract/choices.ts'
import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine } from '../../../basics/text/printable.ts'
import type { GatewayUser } from '../../identity.ts'
import { refused, type RequestRefused } from '../../refusals/request-refused.ts'
import type { ConnectionSettings } from '../../settings/settings.ts'
import { checkRunbookAccess, repositoryNamed, type RunbookServices } from '../runbook-access.ts'
import { inputsOf, readTemplate } from '../runbook-request.ts'
import { choicesFor } from './choice-list.ts'
import type { AskedList, ChoiceLists } from './choice-lists.ts'

/** Forms and completion show a copy of this age. A run asks anew. */
const SHOWN_MS = 60_000

interface AskedChoices extends Pick<AskedList, 'clientIp' | 'askedWith'> {
  readonly user: GatewayUser
  readonly connection: ConnectionSettings
  readonly file: string
  readonly refHash: string
  readonly parameter: string
  /** Value of the parameter `of`; undefined for all values. */
  readonly of: string | undefined
  /** True if only a copy is wanted. */
  readonly isCached: boolean
}

/** Returns the values that a form offers for a parameter. @throws RequestRefused, HistoryError */
export async function offeredChoices(
  services: RunbookServices & { readonly lists: ChoiceLists },
  { user, connection, file, parameter, of: chosenOf, isCached, ...asked }: AskedChoices,
): Promise<ChoicesAnswer> {
  const named = connection.runbooks?.repository
  checkRunbookAccess(connection, named, file)
  const { repository } = repositoryNamed(services, named)
  const source = { repository, folder: connection.runbooks?.path ?? '' }
  const { template, commit } = await readTemplate(source, { file_name: file, ref_hash: asked.refHash })
  const inputs = inputsOf(template)
  const from = inputs.find(({ name }) => name === parameter)?.optionsFrom
  if (from === undefined) throw noList(parameter, inputs)
  const { clientIp, askedWith } = asked
  const wanted = { user, connection, commit, list: from.list, clientIp, askedWith }
  const { lists } = services
  const read = isCached ? lists.kept(wanted, SHOWN_MS) : await lists.read(wanted, SHOWN_MS)
  const all = read?.choices ?? []
  // A form filters by itself while the user types the other value.
  const isWhole = from.of !== undefined && chosenOf === undefined
  return {
    parameter,
    list: from.list,
    of: from.of ?? null,
    commit,
    session_id: read?.session ?? null,
    read_at: read?.readAt.toISOString() ?? null,
    choices: [...(isWhole ? all : choicesFor(all, from.of === undefined ? undefined : chosenOf))],
  }
}

function noList(
  parameter: string,
  inputs: readonly { name: string; optionsFrom?: object }[],
): RequestRefused {
  const names = inputs.filter(({ optionsFrom }) => optionsFrom !== undefined).map(({ name }) => name)
  const meant = didYouMean(parameter, names)
  const hint = meant === undefined ? '' : `; ${meant}`
  return refused('invalid-request/no-list', { parameter, hint }).reworded(oneLine)
}
