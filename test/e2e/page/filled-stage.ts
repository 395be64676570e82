import { afterAll, beforeAll } from 'vitest'
import { OwnBrowser } from '../../support/browser.ts'
import { FilledSite } from '../../support/filled-site/filled-site.ts'
import { Visitor } from './visitor.ts'

/** What the tests of one file share: a browser, and a filled site. */
export class FilledStage {
  #browser: OwnBrowser | undefined
  #filled: FilledSite | undefined

  constructor() {
    beforeAll(async () => {
      this.#browser = await OwnBrowser.open()
      this.#filled = await FilledSite.start()
    })
    afterAll(async () => {
      await this.#filled?.[Symbol.asyncDispose]()
      await this.#browser?.[Symbol.asyncDispose]()
    })
  }

  get filled(): FilledSite {
    if (this.#filled === undefined) throw new Error('not started yet')
    return this.#filled
  }

  /** Somebody of this role, at a view. */
  async enter(role: Parameters<FilledSite['tokenOf']>[0], view = '/', width = 1440): Promise<Visitor> {
    if (this.#browser === undefined) throw new Error('not started yet')
    const { site } = this.filled
    const visitor = await Visitor.arrive(this.#browser, site.address, { viewport: { width, height: 900 } })
    await visitor.signIn(this.filled.tokenOf(role), view)
    return visitor
  }
}
