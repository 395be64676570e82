import { oneLine } from '../../../basics/text/one-line.ts'
import { textTable, type TableColumn } from '../../../basics/text/table.ts'
import type { Account } from '../../../client/account/account.ts'
import { call, type Read } from '../../../client/rest/http/call.ts'
import { webhookContract, type WebhookAnswer } from '../../../contract/webhooks.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, printAnswer, type AskingFlags } from '../account/asking.ts'
import { listingCommand } from '../account/listing.ts'

const COLUMNS: readonly TableColumn[] = [
  { heading: 'NAME', shrinks: true },
  { heading: 'STATUS' },
  { heading: 'WAITING' },
  { heading: 'DELIVERED', leftOut: 2 },
  { heading: 'DROPPED', leftOut: 3 },
  { heading: 'URL', shrinks: true, leftOut: 4 },
  { heading: 'LAST ERROR', shrinks: true, leftOut: 1 },
]

const LIST = {
  things: 'webhooks',
  endpoint: 'GET /api/webhooks',
  fetch: (account: Account) => call(account, webhookContract.list, {}),
  table: webhookTable,
}

/** `runbook-agent webhooks list` */
export function webhooksCommand(flags: AskingFlags): Promise<number> {
  return listingCommand(flags, LIST)
}

/** `runbook-agent webhooks test` */
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

function webhookTable(webhooks: readonly Read<WebhookAnswer>[], width: number): string {
  const rows = webhooks.map(({ name, status, waiting, delivered, dropped, url, last_error: lastError }) =>
    [name, status, String(waiting), String(delivered), String(dropped), url, lastError].map(oneLine),
  )
  return textTable(COLUMNS, rows, width)
}
