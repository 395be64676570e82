import { spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { missingPostgres, postgresDatabase } from '../../support/machine/databases.ts'
import { main } from '../../support/sites/program.ts'
import { missingProgram, without } from '../../support/machine/servers.ts'
import { Site } from '../../support/sites/site.ts'
import { hasTmux, Tmux } from '../../support/terminals/tmux.ts'
import { waitFor } from '../../support/wait.ts'
import { Workplace } from '../../support/sites/workplace.ts'

// A program on a terminal of its own, and the same program through client, gateway and agent: the same keys give the
// same screens. The program's own command line and environment are the same, so is the terminal around it.

const noPostgres = await missingPostgres()

let site: Site | undefined
let here: Workplace

beforeEach(() => {
  here = new Workplace()
})
afterEach(async () => {
  await site?.[Symbol.asyncDispose]()
  site = undefined
  here[Symbol.dispose]()
})

/** The two terminals, on which the program has been started. */
class Pair implements Disposable {
  readonly #both: readonly [Tmux, Tmux]
  readonly #mask: (screen: string) => string

  static async start(
    command: readonly string[],
    mask = (screen: string) => screen,
    { env: variables, ...type }: { type?: string; subtype?: string; env?: Record<string, string> } = {},
  ): Promise<Pair> {
    const connection = { name: 'program', command, ...type, env: { LC_ALL: 'C.UTF-8', ...variables } }
    site = await Site.start({ connections: [connection] })
    const home = site.place.at('home')
    const own = Object.entries(variables ?? {}).map(([name, value]) => `${name}=${value}`)
    const quoted = [...own, ...command].map((word) => `'${word}'`).join(' ')
    const connect = `${process.execPath} ${main} connect --quiet program`
    write(here, `cd ${home}; env -i PATH="$PATH" HOME=${home} TERM=xterm-256color LC_ALL=C.UTF-8 ${quoted}`)
    write(site.place, connect)
    const env = { HOOP_APIURL: `http://${site.address}`, HOOP_TOKEN: site.token }
    return new Pair([new Tmux(here), new Tmux(site.place, env)], mask)
  }

  private constructor(both: readonly [Tmux, Tmux], mask: (screen: string) => string) {
    this.#both = both
    this.#mask = mask
    this.do((tmux) => tmux.enter('. ./program'))
  }

  do(act: (tmux: Tmux) => void): void {
    for (const tmux of this.#both) act(tmux)
  }

  /** Settles when both show it and all the rest alike; fails with both screens. */
  async show(pattern: RegExp): Promise<void> {
    await Promise.all(this.#both.map((tmux) => tmux.shows(pattern)))
    const looks = () =>
      this.#both.map((tmux) => ({
        screen: this.#mask(tmux.screen()),
        state: tmux.state('alternate_on', 'cursor_x', 'cursor_y'),
      }))
    const alike = () => new Set(looks().map((look) => JSON.stringify(look))).size === 1
    await waitFor(alike, 20_000).catch(() => undefined)
    const [direct, remote] = looks()
    expect(remote).toEqual(direct)
  }

  [Symbol.dispose](): void {
    this.do((tmux) => tmux[Symbol.dispose]())
  }
}

function write(place: Workplace, command: string): void {
  place.write('program', `clear\n${command}\necho "code $?"\n`)
}

const missing = (program: string) => !hasTmux || missingProgram(program) !== undefined
const numbered = () =>
  here.write('numbered', Array.from({ length: 500 }, (_, i) => `line ${i + 1} äöü€ 字\n`).join(''))

describe('the same screens as on a terminal of its own:', () => {
  it.skipIf(missing('vi'))('vi (needs vi and tmux)', async () => {
    // vi may leave its mode on the screen when it gets a new size, so it shows no mode.
    const options = ['-u', 'NONE', '-N', '-n', '-i', 'NONE', '-R', '--cmd', 'set noshowmode']
    using vi = await Pair.start(['vi', ...options, numbered()])
    await vi.show(/^line 23 /m)
    vi.do((tmux) => tmux.press('C-f'))
    await vi.show(/^line 40 /m)
    vi.do((tmux) => tmux.type('/line 300\n3dd'))
    await vi.show(/^line 303 /m)
    vi.do((tmux) => tmux.type('Oa line between: ~. ü'))
    await vi.show(/^a line between: ~\. ü/m)
    vi.do((tmux) => tmux.press('Escape'))
    vi.do((tmux) => tmux.resize({ rows: 40, cols: 120 }))
    await vi.show(/^line 320 /m)
    vi.do((tmux) => tmux.type(':vsplit\n'))
    await vi.show(/\[RO\]?.*numbered/)
    vi.do((tmux) => tmux.type(':qa!\n'))
    await vi.show(/^code 0$/m)
  })

  it.skipIf(missing('less'))('less (needs less and tmux)', async () => {
    using less = await Pair.start(['less', '-N', numbered()])
    await less.show(/^ *23 line 23 /m)
    less.do((tmux) => tmux.type('  '))
    await less.show(/^ *60 line 60 /m)
    less.do((tmux) => tmux.type('/line 444\n'))
    await less.show(/^ *444 line 444 /m)
    less.do((tmux) => tmux.resize({ rows: 30, cols: 60 }))
    await less.show(/^ *470 line 470 /m)
    less.do((tmux) => tmux.press('Up', 'Up', 'g'))
    await less.show(/^ *1 line 1 /m)
    less.do((tmux) => tmux.type('q'))
    await less.show(/^code 0$/m)
  })

  it.skipIf(missing('top'))('top (needs top and tmux)', async () => {
    const watched = spawn('sleep', ['1000'])
    try {
      // Of what changes from moment to moment only the place is compared.
      const mask = (screen: string) =>
        screen
          .replace(/[\d.,]+/g, '0')
          .replace(/ +/g, ' ')
          .replace(/ (min|day|days|user|users),/g, '')
      using top = await Pair.start(['top', '-d', '1', '-p', String(watched.pid)], mask)
      await top.show(new RegExp(`${watched.pid} .* sleep$`, 'm'))
      top.do((tmux) => tmux.type('c'))
      await top.show(/ sleep 1000$/m)
      top.do((tmux) => tmux.type('1'))
      await top.show(/^%Cpu1 /m)
      top.do((tmux) => tmux.type('h'))
      await top.show(/^Help for Interactive Commands/m)
      top.do((tmux) => tmux.press('Escape'))
      await top.show(/ sleep 1000$/m)
      top.do((tmux) => tmux.type('q'))
      await top.show(/^code 0$/m)
    } finally {
      watched.kill()
    }
  })

  const noServer = missing('psql') || missing('less') || noPostgres !== undefined
  it.skipIf(noServer)(
    `psql with its line editor and pager (needs psql, less, tmux and a PostgreSQL)${without(noPostgres)}`,
    async () => {
      await using database = await postgresDatabase()
      const { host: HOST, port: PORT, name, password: PASS } = database
      const psql = ['psql', '-X', '-h', HOST, '-U', name, name]
      const environment = { HOST, PORT, USER: name, PASS, PGPASSWORD: PASS }
      const sleeping = `select count(*) from pg_stat_activity
        where datname = current_database() and state = 'active' and query = 'select pg_sleep(100);'`
      using console = await Pair.start(psql, undefined, {
        ...{ type: 'database', subtype: 'postgres' },
        env: environment,
      })
      await console.show(/=> ?$/m)
      console.do((tmux) => tmux.enter('select 40 +'))
      await console.show(/-> ?$/m)
      console.do((tmux) => tmux.enter('2 as answer;'))
      await console.show(/^ +42$/m)
      // The line editor: the last command again, changed in its middle.
      console.do((tmux) => tmux.press('Up', 'C-a', 'M-f', 'Right'))
      console.do((tmux) => tmux.type('1'))
      console.do((tmux) => tmux.press('Enter'))
      await console.show(/^ +142$/m)
      console.do((tmux) => tmux.enter('select repeat(chr(65 + i % 26), 30) from generate_series(0, 99) i;'))
      await console.show(/^ U{30}$/m)
      console.do((tmux) => tmux.type('G'))
      await console.show(/^\(100 rows\)$/m)
      // The pager would eat what is typed while it leaves.
      console.do((tmux) => tmux.type('q'))
      await console.show(/=> ?$/m)
      console.do((tmux) => tmux.enter('select pg_sleep(100);'))
      await console.show(/pg_sleep\(100\);$/m)
      await waitFor(async () => (await database.sql(sleeping)) === '2')
      console.do((tmux) => tmux.press('C-c'))
      await console.show(/canceling statement due to user request\n.*=> ?$/m)
      console.do((tmux) => tmux.press('C-d'))
      await console.show(/^code 0$/m)
    },
  )
})
