import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { missingPostgres } from '../../support/machine/databases.ts'
import { without } from '../../support/machine/servers.ts'
import { faultsOfLayout } from './looks.ts'
import { Stage } from './stage.ts'

// The agent only looks whether the server is there: the client of these connections is a script.

const missing = missingBrowser ?? (await missingPostgres())
const ROWS = [
  {
    schema: 'public',
    table: 'orders',
    columns: [
      ['id', 'bigint'],
      ['created_at', 'timestamp with time zone'],
    ],
  },
  { schema: 'shop', table: 'carts', columns: [['owner', 'text']] },
]
/** Writes the query to stderr. The agent replaces variables in arguments, so it has none. */
const CLIENT = `tee /dev/stderr | grep json_build_object > /dev/null && cat <<'ROWS' || true
${ROWS.map((row) => ` ${JSON.stringify(row)}`).join('\n')}
ROWS
`
const DATABASE = { type: 'database', subtype: 'postgres', env: { HOST: '127.0.0.1', USER: 'u', PASS: 'p' } }

describe.skipIf(missing !== undefined)(`a script on a database${without(missing)}`, () => {
  const stage = new Stage({
    users: { sue: ['support'], bea: ['dba'] },
    connections: [
      { name: 'shop', ...DATABASE, command: ['bash', '-c', CLIENT] },
      { name: 'asks', ...DATABASE, command: ['bash', '-c', CLIENT], review: { groups: ['dba'] } },
      { name: 'off', ...DATABASE, command: ['bash', '-c', CLIENT], access: { schema: false } },
    ],
  })

  async function sessionsOf(connection: string): Promise<number> {
    const { body } = await stage.site.rest.send('GET', `/api/sessions?connection=${connection}`)
    return (JSON.parse(body) as { total: number }).total
  }

  it('shows its tables when the user asks for them, once, and writes their names at the cursor', async () => {
    await using sue = await stage.arrive()
    const { page } = sue
    await sue.signIn(stage.site.tokenOf('sue'), '/run?connection=shop')
    const editor = page.getByRole('textbox', { name: 'Text of the script' })
    await editor.fill('select * from ')
    await sue.click('Read the tables')
    await page.getByText('shop.carts').waitFor()
    expect(await sue.faultsInBothThemes()).toEqual([])
    await page.getByRole('searchbox', { name: 'Find a table or column' }).fill('created')
    await page.getByText('shop.carts').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'created_at' }).waitFor()
    await sue.click('Write the name')
    expect(await editor.innerText()).toContain('select * from orders')
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await faultsOfLayout(page)).toEqual([])
    expect(await sue.faults()).toEqual([])
    await page.reload()
    await sue.click('Read the tables')
    await page.getByText('shop.carts').waitFor()
    expect(await sessionsOf('shop')).toBe(1)
    await sue.click('Read again')
    await expect.poll(() => sessionsOf('shop')).toBe(2)
    expect(await page.getByRole('button', { name: /The tables of the database/ }).count()).toBe(0)
    expect(sue.problems).toEqual([])
  })

  it('lets the server explain the selection, and nothing that would run', async () => {
    await using sue = await stage.arrive()
    const { page } = sue
    await sue.signIn(stage.site.tokenOf('sue'), '/run?connection=shop')
    const editor = page.getByRole('textbox', { name: 'Text of the script' })
    await editor.fill('delete from carts;\nselect * from orders')
    const before = await sessionsOf('shop')
    await sue.click('Explain')
    await sue.sees('Select one statement: the text has several.')
    expect(await sessionsOf('shop')).toBe(before)
    await editor.focus()
    await page.keyboard.press('Control+End')
    await page.keyboard.press('Shift+Home')
    await sue.sees('1 line selected')
    await sue.click('Explain')
    await sue.reads('EXPLAIN select * from orders;')
  })

  it('has neither where a script needs approval, and no tables where the settings say so', async () => {
    await using sue = await stage.arrive()
    const { page } = sue
    await sue.signIn(stage.site.tokenOf('sue'), '/run?connection=asks')
    await page.getByRole('textbox', { name: 'Text of the script' }).fill('select 1')
    await sue.sees('approval by dba')
    expect(await page.getByRole('button', { name: 'Explain' }).isDisabled()).toBe(true)
    expect(await page.getByRole('button', { name: 'Read the tables' }).count()).toBe(0)
    await page.getByLabel('Connection', { exact: true }).selectOption('off')
    await sue.sees('no approval')
    expect(await page.getByRole('button', { name: 'Read the tables' }).count()).toBe(0)
  })
})
