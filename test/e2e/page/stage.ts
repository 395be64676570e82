import type { BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { OwnBrowser } from '../../support/browser.ts'
import { Site, type SiteOptions } from '../../support/sites/site.ts'
import { Visitor } from './visitor.ts'

/** What the tests of one file share: a browser, and a gateway with an agent. */
export class Stage {
  #browser: OwnBrowser | undefined
  #site: Site | undefined

  /** @param prepared puts there what all tests need */
  constructor(options: SiteOptions, prepared: (site: Site) => Promise<void> | void = () => undefined) {
    beforeAll(async () => {
      this.#browser = await OwnBrowser.open()
      this.#site = await Site.start(options)
      await prepared(this.#site)
    })
    afterAll(async () => {
      await this.#site?.[Symbol.asyncDispose]()
      await this.#browser?.[Symbol.asyncDispose]()
    })
  }

  get site(): Site {
    if (this.#site === undefined) throw new Error('not started yet')
    return this.#site
  }

  /** A request of this user over REST. @throws for a refusal */
  async send(
    name: string,
    method: 'GET' | 'POST' | 'PUT',
    url: string,
    body: object = {},
  ): Promise<Record<string, unknown>> {
    const text = method === 'GET' ? undefined : JSON.stringify(body)
    const reply = await this.site.rest.send(method, url, text, this.site.tokenOf(name))
    if (reply.status >= 300) throw new Error(reply.body)
    return JSON.parse(reply.body) as Record<string, unknown>
  }

  /** Somebody with a new profile, who is not signed in. @param site another one than all tests share */
  arrive(options: BrowserContextOptions = {}, { address } = this.site): Promise<Visitor> {
    if (this.#browser === undefined) throw new Error('not started yet')
    return Visitor.arrive(this.#browser, address, options)
  }

  /** The administrator, at a view. */
  async enter(path = '/', options: BrowserContextOptions = {}): Promise<Visitor> {
    const visitor = await this.arrive(options)
    await visitor.signIn(this.site.token, path)
    return visitor
  }
}
