import { json, ScriptedRest, type Received, type Script } from '../scripted/scripted-rest.ts'

/** What hoop's second list says of one runbook. */
export interface ScriptedRunbook {
  readonly name: string
  readonly metadata?: Readonly<Record<string, object>>
  readonly error?: string
  /** Ours alone. */
  readonly block_metadata?: Readonly<Record<string, object>>
}

/** A REST interface with hoop's shapes: one connection, `pg`, with one repository. A test scripts what runs. */
export class RunbookGateway implements AsyncDisposable {
  readonly rest: ScriptedRest
  /** For programs that ask it. */
  readonly env: Readonly<Record<string, string>>

  static async start(...runbooks: readonly ScriptedRunbook[]): Promise<RunbookGateway> {
    return new RunbookGateway(await ScriptedRest.start(), runbooks)
  }

  private constructor(rest: ScriptedRest, runbooks: readonly ScriptedRunbook[]) {
    this.rest = rest
    this.env = { HOOP_APIURL: rest.url, HOOP_TOKEN: 'the-token-of-a-test-0123456789' }
    rest.on('GET /api/connections', json(200, [{ name: 'pg', id: 'c1' }, { name: 'bash' }]))
    rest.on('GET /api/runbooks', (received, response) => {
      const isKnown =
        !received.url.includes('connection_name=') || received.url.endsWith('connection_name=pg')
      const items = isKnown ? runbooks.map((runbook) => ({ metadata: {}, error: null, ...runbook })) : []
      const repositories = [{ repository: 'git.test/books', commit: 'c', items }]
      json(isKnown ? 200 : 404, isKnown ? { errors: [], repositories } : { message: 'connection not found' })(
        received,
        response,
      )
    })
  }

  /** What the execution's request is answered with. */
  answers(script: Script): this {
    this.rest.on('POST /api/runbooks/exec', script)
    return this
  }

  /** The session as its record shows it, look by look; the last one stays. `undefined` breaks the connection. */
  records(...looks: readonly (object | undefined)[]): this {
    const left = [...looks]
    this.rest.on(`GET /api/sessions/${SESSION}`, (received, response) => {
      const look = left.length > 1 ? left.shift() : left[0]
      if (look === undefined) response.destroy()
      else json(200, { ...session, ...look })(received, response)
    })
    return this
  }

  /** What the record holds of the output. */
  wrote(output: Uint8Array): this {
    this.rest.on(`GET /api/sessions/${SESSION}/result/stream`, (_, response) =>
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(output),
    )
    return this
  }

  /** The bodies of the requests to run something. */
  get requests(): Readonly<Record<string, unknown>>[] {
    return this.rest.asked('POST /api/runbooks/exec').map(bodyOf)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rest[Symbol.asyncDispose]()
  }
}

export const SESSION = '5701046a-7b7a-4a78-abb0-a24c95e6fe54'

const session = {
  id: SESSION,
  user: 'ada@example.test',
  connection: 'pg',
  type: 'database',
  verb: 'exec',
  status: 'open',
  exit_code: null,
  start_date: '2026-01-31T14:30:00.000Z',
  end_date: null,
  event_size: 0,
  labels: {},
  metadata: {},
}

/** The record of a session that has ended. */
export function done(exitCode: number, more: object = {}): object {
  return { status: 'done', exit_code: exitCode, end_date: '2026-01-31T14:31:05.500Z', event_size: 3, ...more }
}

/** An answer to an execution. */
export function answer(more: object = {}): object {
  return {
    has_review: false,
    session_id: SESSION,
    output: '',
    output_status: 'success',
    truncated: false,
    execution_time: 12,
    exit_code: 0,
    ai_analysis: null,
    ...more,
  }
}

/** As hoop answers after 50 s. */
export const RUNNING = json(202, answer({ output_status: 'running', exit_code: -2, execution_time: 0 }))

/** As hoop answers where there is no code. */
export function rpcError(code: string, text: string): Script {
  return json(
    200,
    answer({ output_status: 'failed', exit_code: -2, output: `rpc error: code = ${code} desc = ${text}` }),
  )
}

function bodyOf({ body }: Received): Readonly<Record<string, unknown>> {
  return body as Readonly<Record<string, unknown>>
}
