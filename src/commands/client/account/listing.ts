import type { Account } from '../../../client/account/account.ts'
import { asking, printAnswer, unlessLacking, type AskingFlags } from './asking.ts'

/** What is listed, and how it is shown on a terminal. */
interface Listing<Item> {
  readonly things: string
  readonly endpoint: string
  readonly fetch: (account: Account) => Promise<readonly Item[]>
  readonly table: (items: readonly Item[], width: number) => string
}

/** Lists what a gateway has, as it has sent it or as a table. @returns the exit code */
export async function listingCommand<Item extends { readonly raw: object }>(
  flags: AskingFlags,
  { things, endpoint, fetch, table }: Listing<Item>,
): Promise<number> {
  return asking(flags.profile, `cannot list ${things}`, async (account, stdout) => {
    const items = await unlessLacking(account, { things, endpoint }, fetch(account))
    const raw = items.map((item) => item.raw)
    await printAnswer(flags, raw, (width) => table(items, width), stdout)
  })
}

/** Shows one thing, as the gateway has sent it or as a text. @param problem begins what is said when it fails */
export async function showingCommand<Item extends { readonly raw: object }>(
  flags: AskingFlags,
  problem: string,
  fetch: (account: Account) => Promise<Item>,
  text: (item: Item, width: number) => string,
): Promise<number> {
  return asking(flags.profile, problem, async (account, stdout) => {
    const item = await fetch(account)
    await printAnswer(flags, item.raw, (width) => text(item, width), stdout)
  })
}
