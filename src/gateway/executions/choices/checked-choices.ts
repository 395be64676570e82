import { oneLine } from '../../../basics/text/printable.ts'
import { didYouMean } from '../../../basics/text/nearest.ts'
import type { ChosenValue } from '../../../template/options-from.ts'
import type { GatewayUser } from '../../identity.ts'
import { refused, type RequestRefused } from '../../refusals/request-refused.ts'
import type { SessionRequest } from '../../sessions/session-request.ts'
import { choicesFor, type Choice } from './choice-list.ts'
import type { ChoiceLists, ReadList } from './choice-lists.ts'

/** A run accepts a copy of this age. So a value may be accepted this long after the list has lost the value. */
const FRESH_MS = 5000
/** Longer values have no near values, because the comparison of long texts takes long. */
const MAX_COMPARED_CHARACTERS = 64
/** A list with as many choices or fewer is named as a whole. */
const MAX_NAMED_CHOICES = 5

export type ChoosingRequest = Pick<SessionRequest, 'connection' | 'choices' | 'clientIp' | 'askedWith'>

/** Refuses requests whose values are not in their lists. */
export class CheckedChoices {
  readonly #lists: Pick<ChoiceLists, 'read'>
  readonly #userNamed: (name: string) => GatewayUser | undefined

  constructor(
    lists: Pick<ChoiceLists, 'read'>,
    users: { readonly named: (name: string) => GatewayUser | undefined },
  ) {
    this.#lists = lists
    this.#userNamed = (name) => users.named(name)
  }

  /**
   * Call this before anything has an effect: before the Jira issue, the session, the review and the claim of
   * an approval. The values can still leave their lists between this check and the run.
   * @throws RequestRefused `choice-gone`, `choices-failed`; HistoryError
   */
  async check(request: ChoosingRequest & Pick<SessionRequest, 'user'>): Promise<void> {
    const { choices } = request
    const user = this.#userNamed(request.user)
    // Other checks refuse users that no longer exist.
    if (choices === undefined || user === undefined) return
    await Promise.all(choices.values.map((chosen) => this.#checkOne(request, user, choices.commit, chosen)))
  }

  async #checkOne(
    { connection, clientIp, askedWith }: ChoosingRequest,
    user: GatewayUser,
    commit: string,
    chosen: ChosenValue,
  ): Promise<void> {
    const asked = { user, connection, commit, list: chosen.list, clientIp, askedWith }
    const read = await this.#lists.read(asked, FRESH_MS)
    const fitting = choicesFor(read.choices, chosen.of === undefined ? undefined : chosen.ofValue)
    if (!fitting.some(({ value }) => value === chosen.value)) throw gone(chosen, read, fitting)
  }
}

/** Names near values of the list, and never the refused value. */
function gone(
  { parameter, list, of, value }: ChosenValue,
  { session }: ReadList,
  fitting: readonly Choice[],
): RequestRefused {
  const place = of === undefined ? list : `${list} for this ${of}`
  const details = { parameter, place, hint: hint(value, fitting), session }
  return refused('choice-gone/value', details, { choices: { session_id: session } }).reworded(oneLine)
}

function hint(value: string, fitting: readonly Choice[]): string {
  const values = fitting.map((choice) => choice.value).filter(isShort)
  const near = isShort(value) ? didYouMean(value, values) : undefined
  if (near !== undefined) return near
  if (fitting.length === 0) return 'the list has no values'
  if (fitting.length > MAX_NAMED_CHOICES || values.length < fitting.length)
    return `the list has ${fitting.length} ${fitting.length === 1 ? 'value' : 'values'}`
  return `the list has ${values.join(', ')}`
}

function isShort(text: string): boolean {
  return text.length <= MAX_COMPARED_CHARACTERS
}
