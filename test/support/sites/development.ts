import { readFileSync } from 'node:fs'
import { Program } from './program.ts'
import { Rest } from '../scripted/rest.ts'
import type { Workplace } from './workplace.ts'

/** The line that `dev --json` prints when it is ready. */
export interface ReadyLine {
  readonly event: string
  readonly http: string
  readonly grpc: string
  /** A link that signs in once. */
  readonly page: string
  readonly tokenFile: string
  readonly pid: number
  readonly agentPid: number
}

const FREE_PORTS = ['--http', '127.0.0.1:0', '--grpc', '127.0.0.1:0']

/** `dev --json` on free ports, ready; the caller disposes it. */
export class Development implements AsyncDisposable {
  readonly program: Program
  readonly ready: ReadyLine
  readonly rest: Rest

  static async start(place: Workplace, env: Readonly<Record<string, string>> = {}): Promise<Development> {
    const program = new Program(place, ['dev', '--json', '--state', 'state', ...FREE_PORTS], env)
    try {
      const [line] = await program.says('stdout', /^\{.*\}$/m)
      return new Development(program, JSON.parse(line) as ReadyLine)
    } catch (error) {
      await program[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(program: Program, ready: ReadyLine) {
    this.program = program
    this.ready = ready
    this.rest = new Rest(ready.http, readFileSync(ready.tokenFile, 'utf8').trim())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]()
  }
}

/** `dev` as a person starts it, on free ports; the caller waits and disposes. */
export function startDevelopment(place: Workplace): Program {
  return new Program(place, ['dev', '--state', 'state', ...FREE_PORTS])
}
