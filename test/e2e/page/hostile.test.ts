import { describe, expect, it } from 'vitest'
import { missingBrowser } from '../../support/browser.ts'
import { without } from '../../support/machine/servers.ts'
import { waitFor } from '../../support/wait.ts'
import { Stage } from './stage.ts'
import type { Visitor } from './visitor.ts'

const HTML = '<img src=x onerror="document.title=1"><script>document.title=1</script><b>bold</b>'
const BIDI = 'invoice\u202Efdp.exe\u2066'
/** As a file's name: a slash would be a folder, and those with controls are not listed. */
const NAME = `${HTML.replaceAll('/', '∕')}${BIDI}.runbook.sh`
const RIGHT_TO_LEFT = 'דוח מכירות.runbook.sh'

const OUTPUT = `cat <<'END'
${HTML}
\u001b]8;;javascript:document.title=1\u001b\\a link\u001b]8;;\u001b\\
\u001b]0;another title\u0007titled
\u001b[2J\u001b[H\u001b[5Amoved
${BIDI}
{{constructor.constructor("document.title=1")()}}
END
printf 'bell\\007 null\\000\\n'
# {{ .value | default "x" | description "${HTML.replaceAll('"', "'")}" }}
`.replace('{{constructor.constructor("document.title=1")()}}', '$' + '{constructor}')

describe.skipIf(missingBrowser !== undefined)(`a hostile runbook${without(missingBrowser)}`, () => {
  const stage = new Stage({
    runbooks: { [`evil/${NAME}`]: OUTPUT, [`evil/${RIGHT_TO_LEFT}`]: 'echo שלום' },
  })

  /** Nothing ran, was asked for or was made of it. */
  async function expectUnchanged(ada: Visitor, title: RegExp): Promise<void> {
    expect(await ada.page.title()).toMatch(title)
    expect(await ada.page.locator('img, main script, main b, a[href^="javascript:"]').count()).toBe(0)
    expect(ada.problems).toEqual([])
    expect(ada.foreign).toEqual([])
  }

  it('changes nothing but its own text: in the list, the form, the preview, the output, the history', async () => {
    await using ada = await stage.enter('/runbooks?search=img')
    const { page } = ada
    const link = page.getByRole('link', { name: /img src=x/ })
    expect(await link.innerText()).toContain('invoice⟨U+202E⟩fdp.exe⟨U+2066⟩.runbook.sh')
    await expectUnchanged(ada, /^Runbooks · runbook-agent$/)
    await link.click()
    await page.getByLabel('value', { exact: true }).fill(`${HTML}${BIDI}`)
    await ada.sees('Nothing has run.')
    await expectUnchanged(ada, /^<img src=x.*⟨U\+202E⟩.* · runbook-agent$/)
    await ada.click('Run')
    await ada.sees('exit code 0')
    await ada.reads('bell␇ null␀')
    const output = await ada.output()
    expect(output.split('\n').map((line) => line.trim())).toEqual(
      expect.arrayContaining([HTML, 'a link', 'titled', 'moved', 'invoice⟨U+202E⟩fdp.exe⟨U+2066⟩']),
    )
    await expectUnchanged(ada, /^<img src=x.*⟨U\+202E⟩.* succeeded · runbook-agent$/)
    await page.getByRole('link', { name: 'All sessions' }).click()
    await page
      .getByRole('link', { name: /img src=x/ })
      .first()
      .waitFor()
    await expectUnchanged(ada, /^Sessions · runbook-agent$/)
  })

  it('keeps the direction of a name to the name', async () => {
    await using ada = await stage.enter('/runbooks')
    const row = ada.page.locator('.runbook', { hasText: RIGHT_TO_LEFT })
    // A list that is drawn anew has no places for a moment.
    const isLinkFirst = async () => {
      const link = await row.getByRole('link').boundingBox()
      const hint = await row.locator('.hint').boundingBox()
      return link !== null && hint !== null && link.x < hint.x
    }
    await waitFor(isLinkFirst)
    await row.getByRole('link').click()
    await ada.click('Run')
    await ada.reads('שלום')
  })
})
