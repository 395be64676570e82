import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A folder of one test: everything its programs write lies in it, an empty HOME included. Removed when disposed. */
export class Workplace implements Disposable {
  readonly path: string
  /** The whole environment of a program here: nothing of the test's own but PATH. */
  readonly env: Readonly<Record<string, string>>

  constructor() {
    this.path = mkdtempSync(path.join(tmpdir(), 'e2e-'))
    for (const name of ['home', 'tmp']) mkdirSync(this.at(name))
    this.env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.at('home'),
      TMPDIR: this.at('tmp'),
      // Where systemd would have the secret files: `dev` hides RUNBOOK_AGENT_* from its agent, but not this.
      RUNTIME_DIRECTORY: this.at('runtime'),
      STATE_DIRECTORY: this.at('agent-state'),
      // An agent that is installed on the machine has its settings in /etc.
      RUNBOOK_AGENT_CONFIG: this.write('tmp/no-settings.yaml', '', 0o644),
    }
  }

  /** The absolute path of something in the folder. */
  at(...names: string[]): string {
    return path.join(this.path, ...names)
  }

  /** @returns the absolute path of the new file, which only its owner may read */
  write(name: string, content: string, mode = 0o600): string {
    mkdirSync(path.dirname(this.at(name)), { recursive: true })
    writeFileSync(this.at(name), content, { mode })
    return this.at(name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 })
  }
}
