import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { found, waitFor } from '../wait.ts'
import type { Workplace } from '../sites/workplace.ts'

/** Whether tests that need a terminal can run here. */
export const hasTmux = spawnSync('tmux', ['-V']).status === 0

/** For programs that start on a busy machine. */
const SHOWS_MS = 20_000
/** What ignores the hangup is left to the test that started it. */
const GONE_LOOKS = 100
const LOOK_MS = 20

/** A terminal's shell leads a session of its own. What has ended writes no more, also before its new parent asks for it. */
function hasProcesses(session: string): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-s', session], { encoding: 'utf8' })
  return /^[^Z\n]/m.test(stdout)
}

interface Size {
  readonly rows: number
  readonly cols: number
}

/** A person at a terminal: a shell in a tmux server of its own. */
export class Tmux implements Disposable {
  readonly #place: Workplace
  readonly #socket: string

  /** @param env is added to the workplace's own */
  constructor(
    place: Workplace,
    env: Readonly<Record<string, string>> = {},
    { rows, cols }: Size = { rows: 24, cols: 80 },
  ) {
    this.#place = place
    this.#socket = `runbook-${path.basename(place.path)}`
    const variables = Object.entries({
      ...place.env,
      TERM: 'xterm-256color',
      PS1: 'local$ ',
      HISTFILE: '/dev/null',
      ...env,
    })
    this.#run(
      ['-f', '/dev/null', 'new-session', '-d', '-x', String(cols), '-y', String(rows), '-c', place.path],
      ['env', '-i', ...variables.map(([name, value]) => `${name}=${value}`), 'bash', '--norc', '--noprofile'],
    )
    this.#run(['set-option', '-g', 'status', 'off'])
    this.#run(['set-option', '-g', 'history-limit', '20000'])
    this.resize({ rows, cols })
  }

  /** Types text as it is; a semicolon at the end of an argument would be tmux's own. */
  type(text: string): void {
    this.#run(['send-keys', '-l', '--', text.replace(/;$/, '\\;')])
  }

  /** Names of keys as tmux has them: `Enter`, `C-c`, `Escape`. */
  press(...keys: readonly string[]): void {
    this.#run(['send-keys', '--', ...keys])
  }

  /** Types a line and Enter. */
  enter(line: string): void {
    this.type(line)
    this.press('Enter')
  }

  /** The visible lines, wrapped ones as one, without blanks at their ends. */
  screen(): string {
    return this.#run(['capture-pane', '-p', '-J']).replaceAll(/[ \t]+$/gm, '')
  }

  /** The visible lines with their colours. */
  coloured(): string {
    return this.#run(['capture-pane', '-p', '-e'])
  }

  /** The first match on the screen, as soon as it is there. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    return found(() => pattern.exec(this.screen()) ?? undefined, SHOWS_MS).catch(() => {
      throw new Error(`waited in vain for ${String(pattern)} on\n${this.screen()}`)
    })
  }

  async showsNot(pattern: RegExp): Promise<void> {
    await waitFor(() => !pattern.test(this.screen()), SHOWS_MS)
  }

  resize({ rows, cols }: Size): void {
    this.#run(['resize-window', '-x', String(cols), '-y', String(rows)])
  }

  /** What tmux knows of the terminal's state, by the names of its formats: `alternate_on`, `cursor_flag`. */
  state(...names: readonly string[]): string {
    return this.#run(['display-message', '-p', names.map((name) => `#{${name}}`).join(' ')]).trim()
  }

  /** The process that the shell has started and waits for. */
  child(): number {
    const shell = this.state('pane_pid')
    const [child = ''] = readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').split(' ')
    if (child === '') throw new Error(`the shell has no child\n${this.screen()}`)
    return Number(child)
  }

  /** Pastes as a terminal does: marked, where the program has asked for it. */
  paste(file: string): void {
    this.#run(['load-buffer', file])
    this.#run(['paste-buffer', '-p', '-r'])
  }

  /** Also waits for whatever ran on the terminal: its last writes go into a folder that is about to be removed. */
  [Symbol.dispose](): void {
    const session = this.#shell()
    spawnSync('tmux', ['-L', this.#socket, 'kill-server'], { env: this.#env() })
    for (let looks = 0; looks < GONE_LOOKS && session !== '' && hasProcesses(session); looks += 1)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_MS)
  }

  /** Empty when tmux has gone already. */
  #shell(): string {
    const asked = ['-L', this.#socket, 'display-message', '-p', '#{pane_pid}']
    return spawnSync('tmux', asked, { encoding: 'utf8', env: this.#env() }).stdout.trim()
  }

  #run(args: readonly string[], command: readonly string[] = []): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args, ...command], {
      cwd: this.#place.path,
      encoding: 'utf8',
      env: this.#env(),
    })
  }

  #env(): Record<string, string> {
    return { ...this.#place.env, LC_ALL: 'C.UTF-8', TMUX_TMPDIR: this.#place.at('tmp') }
  }
}
