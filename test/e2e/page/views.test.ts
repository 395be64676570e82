import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import type { Site } from '../../support/sites/site.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

const PHONE = { width: 360, height: 740 }
const FIELDS = `{{ .text | required "Say something." | description "some text" }}{{ .secret | type "password" }}
{{ .choice | options "a" "b" }}{{ .day | type "date" }}{{ .doc | type "file" }}{{ .long | type "textarea" }}`

const COLOURS = `for c in 30 31 32 33 34 35 36 37 90 91 92 93 94 95 96 97 40 41 42 43 44 45 46 47 100 101 102 103 104 105 106 107 1 2 3 4 7 9; do
  printf '\\033[%smcolour %s\\033[0m ' $c $c; done; printf '\\033[38;5;208mfar\\033[0m \\001\\n'; echo {{ .name | default "x" | description "a name" }}
`

describe.skipIf(missingBrowser !== undefined)(`the page${without(missingBrowser)}`, () => {
  const views: string[] = []
  const stage = new Stage(
    {
      runbooks: {
        'ops/colours.runbook.sh': COLOURS,
        'ops/broken.runbook.sh': '{{ if }}',
        'ops/fields.runbook.sh': FIELDS,
      },
    },
    async (site) => {
      views.push('/sessions/there-is-none', ...(await made(site)))
    },
  )

  /** A form of all fields, a template that cannot be used, and an output in all colours. */
  async function made(site: Site): Promise<string[]> {
    const run = async (connection: string, file = 'ops/colours.runbook.sh') =>
      (await site.rest.runbook(connection, file, { parameters: { name: 'y' } })).body.session_id
    const first = await run('bash')
    const books = encodeURIComponent(await repository(site))
    return [
      ...[`/runbooks/${books}/ops/fields.runbook.sh`, `/runbooks/${books}/ops/broken.runbook.sh`],
      `/sessions/${first}`,
    ]
  }

  async function repository(site: Site): Promise<string> {
    const { body } = await site.rest.send('GET', '/api/runbooks')
    return (JSON.parse(body) as { repositories: [{ repository: string }] }).repositories[0].repository
  }

  it('has nothing for axe to find in either theme, and fits a phone', async () => {
    await using ada = await stage.arrive({ colorScheme: 'light' })
    const found: string[] = []
    const look = async (name: string) => {
      found.push(...(await ada.faultsInBothThemes()).map((fault) => `${name}: ${fault}`))
    }
    await ada.goTo('/')
    await ada.page.getByLabel('Token').waitFor()
    await look('sign in')
    await ada.signIn(stage.site.token)
    for (const view of views) {
      await ada.goTo(view)
      await ada.settled()
      await look(view)
      const width = await widthOnPhone(ada)
      if (width > PHONE.width) found.push(`${view}: ${width} pixels wide`)
    }
    await ada.goTo(views.find((view) => view.startsWith('/sessions/') && !view.includes('none')) ?? '')
    await ada.reads('far')
    await look('output')
    await ada.page.keyboard.press('?')
    await ada.page.getByRole('dialog').waitFor()
    await look('shortcuts')
    await ada.page.keyboard.press('Escape')
    await ada.page.keyboard.press('Control+k')
    await ada.page.getByRole('option').first().waitFor()
    await look('search')
    await ada.page.keyboard.press('Escape')
    await ada.page.getByRole('button', { name: /your menu$/ }).click()
    await ada.page.getByRole('button', { name: 'Sign out' }).waitFor()
    await look('menu')
    expect(found).toEqual([])
    expect(ada.problems).toEqual([])
    expect(ada.foreign).toEqual([])
  })

  /** Nothing may be wider than the screen but what scrolls by itself. */
  async function widthOnPhone({ page }: Visitor): Promise<number> {
    const usual = page.viewportSize()
    await page.setViewportSize(PHONE)
    const width = await page.evaluate<number>('document.documentElement.scrollWidth')
    if (usual !== null) await page.setViewportSize(usual)
    return width
  }

  it('leads home from an address that there is not, signed in or not', async () => {
    await using ada = await stage.arrive()
    await ada.goTo('/people')
    await ada.sees('No page has the address /people.')
    expect(await ada.faults()).toEqual([])
    await ada.page.getByRole('link', { name: 'Look at the runbooks' }).click()
    await ada.page.getByLabel('Token').waitFor()
    await ada.signIn(stage.site.token, '/sessions')
    await ada.goTo('/sesions/x')
    await ada.sees('No page has the address /sesions/x.')
    await ada.page.getByRole('link', { name: 'Look at the runbooks' }).click()
    await ada.page.getByRole('link', { name: 'colours' }).first().waitFor()
    expect(ada.problems).toEqual([])
  })

  it('shows the problems of a form at their fields, where axe finds nothing either', async () => {
    await using ada = await stage.enter(views.find((view) => view.endsWith('fields.runbook.sh')))
    await ada.click('Run')
    await ada.sees('Say something.')
    await ada.page.locator('[aria-invalid=true]:focus').waitFor()
    // The focus has scrolled the field to the edge of the window, where axe counts a target as smaller than it is.
    await ada.page.evaluate('scrollTo(0, 0)')
    expect(await ada.faults()).toEqual([])
  })
})
