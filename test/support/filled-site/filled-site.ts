import { missingPostgres, postgresDatabase, type PostgresDatabase } from '../machine/databases.ts'
import { Site } from '../sites/site.ts'
import { Chance } from './chance.ts'
import { writePast } from './past.ts'
import { makePresent, presentSessions } from './present.ts'
import { ROLES, shopOptions } from './shop.ts'

/** Number of sessions of the site. */
const SESSIONS = 400
const SEED = 20_261_201

/**
 * A gateway with an agent, 40 runbooks, 20 connections, 15 people and 400 sessions of all kinds and ends. With a
 * PostgreSQL on this machine, its databases are real: one database with a random name.
 */
export class FilledSite implements AsyncDisposable {
  readonly site: Site
  readonly #database: PostgresDatabase | undefined

  static async start(): Promise<FilledSite> {
    const database = (await missingPostgres()) === undefined ? await postgresDatabase() : undefined
    try {
      await database?.sql(ORDERS)
      const site = await Site.start({
        ...shopOptions(database, new Date()),
        past: ({ place, books }) =>
          writePast(place.at('state', 'history.sqlite'), {
            sessions: SESSIONS - presentSessions(database !== undefined),
            chance: new Chance(SEED),
            now: new Date(),
            commit: books.git('rev-parse', 'HEAD').trim(),
          }),
      })
      const filled = new FilledSite(site, database)
      await filled.#fill()
      return filled
    } catch (error) {
      await database?.[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(site: Site, database: PostgresDatabase | undefined) {
    this.site = site
    this.#database = database
  }

  /** The token with which somebody of this role signs in. */
  tokenOf(role: keyof typeof ROLES): string {
    return this.site.tokenOf(ROLES[role])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.site[Symbol.asyncDispose]()
    } finally {
      await this.#database?.[Symbol.asyncDispose]()
    }
  }

  async #fill(): Promise<void> {
    try {
      await makePresent(this.site, this.#database !== undefined)
    } catch (error) {
      await this.site[Symbol.asyncDispose]()
      throw error
    }
  }
}

const ORDERS = `
  create table orders (id int primary key, customer text, status text, total numeric(8, 2), placed date);
  insert into orders select 4700 + i, 'customer ' || 1 + i % 40,
    case i % 5 when 0 then 'open' when 1 then 'shipped' else 'paid' end, 20 + i * 37 % 280 + 0.5,
    date '2026-11-01' + i % 30 from generate_series(0, 399) i;`
