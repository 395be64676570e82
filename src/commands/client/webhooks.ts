import { oneLine } from '../../basics/text/one-line.ts'
import type { ItemColumn } from '../../basics/text/table.ts'
import type { Account } from '../../client/account/account.ts'
import { call, type Read } from '../../client/rest/call.ts'
import { webhookContract, type WebhookAnswer } from '../../contract/webhooks.ts'
import { exitCodes, Failure } from '../failure.ts'
import { asking, printAnswer, type AskingFlags, listingCommand } from './asking/asking.ts'

const COLUMNS: readonly ItemColumn<Read<WebhookAnswer>>[] = [
  { heading: 'NAME', shrinks: true, of: ({ name }) => name },
  { heading: 'STATUS', of: ({ status }) => status },
  { heading: 'WAITING', of: ({ waiting }) => String(waiting) },
  { heading: 'DELIVERED', leftOut: 2, of: ({ delivered }) => String(delivered) },
  { heading: 'DROPPED', leftOut: 3, of: ({ dropped }) => String(dropped) },
  { heading: 'URL', shrinks: true, leftOut: 4, of: ({ url }) => url },
  { heading: 'LAST ERROR', shrinks: true, leftOut: 1, of: ({ last_error: lastError }) => lastError },
]

const LIST = {
  things: 'webhooks',
  endpoint: 'GET /api/webhooks',
  fetch: (account: Account) => call(account, webhookContract.list, {}),
  columns: COLUMNS,
}

export function webhooksCommand(flags: AskingFlags): Promise<number> {
  return listingCommand(flags, LIST)
}

export async function testWebhookCommand(name: string, flags: AskingFlags): Promise<number> {
  return asking(flags.profile, `cannot test webhook ${name}`, async (account, stdout) => {
    const { delivered, error, raw } = await call(account, webhookContract.test, { name })
    if (!delivered)
      throw new Failure(
        oneLine(`webhook ${name} did not take the test message: ${error}`),
        exitCodes.unreachable,
      )
    await printAnswer(flags, raw, () => 'delivered\n', stdout)
  })
}
