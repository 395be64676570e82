import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { translate } from '../support/machine/translate.ts'

const repository = resolve(import.meta.dirname, '../..')
const NOBODY = 65534
const isRoot = process.geteuid?.() === 0
const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {}

/** Whether programs can be run here as somebody whom permissions stop, and who may enter the temporary folder. */
export const HAS_UNPRIVILEGED =
  spawnSync(process.execPath, ['-e', `process.chdir(${JSON.stringify(tmpdir())})`], { ...user, cwd: '/' })
    .status === 0

/** Runs scripts on src/envvars in a process that is not root's. Disposing it removes all they left. */
export class Unprivileged implements Disposable {
  /** A folder of the user that the scripts run as; it is their working folder. */
  readonly folder: string
  readonly #root = mkdtempSync(join(tmpdir(), 'unprivileged-'))

  constructor() {
    chmodSync(this.#root, 0o755)
    this.folder = join(this.#root, 'work')
    mkdirSync(this.folder)
    if (isRoot) chownSync(this.folder, NOBODY, NOBODY)
    this.#translate()
  }

  /** @param script is a module in src/envvars; @returns what it gives to `report` */
  async run(script: string): Promise<unknown> {
    const main = join(this.#root, 'envvars', 'main.js')
    writeFileSync(main, `const report = (result) => console.log(JSON.stringify(result))\n${script}`)
    const { stdout } = await promisify(execFile)(process.execPath, [main], { ...user, cwd: this.folder })
    return JSON.parse(stdout)
  }

  /** A checkout need not be open to other users. */
  #translate(): void {
    translate(this.#root, ['basics', 'golang', 'envvars'])
    for (const name of ['tmp', 'tmp-promise']) {
      const inside = join('node_modules', name)
      cpSync(join(repository, inside), join(this.#root, inside), { recursive: true })
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}
