import { decodeText, FileRefused, readSmallFile } from '../../../basics/small-file.ts'
import { parseTemplate, TemplateError, type Rendered } from '../../../template/runbook.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { ByteOutput } from '../byte-output.ts'
import type { NoticeFlags } from '../notices.ts'
import { localConnection } from './connection.ts'
import { executeHere } from './execution.ts'

/** As the gateway has it for files of a repository. */
const MAX_FILE_BYTES = 1_000_000

export interface LocalRun extends NoticeFlags {
  /** Name of the connection. */
  readonly connection: string
  /** The runbook: a file on this machine. */
  readonly file: string
  readonly parameters: ReadonlyMap<string, string>
  /** `envvar:NAME` or `filesystem:NAME` to base64; what the runbook sets itself wins. */
  readonly envVars: ReadonlyMap<string, string>
  /** With `config` they go behind the connection's command, without they are the command. */
  readonly words: readonly string[]
  /** A gateway's settings, for the connection in them. */
  readonly config?: string | undefined
  /** Prints the rendered script instead of running it. */
  readonly dryRun?: boolean
}

/**
 * `runbook-agent run --local`: a runbook that lies on this machine, without a gateway.
 * @returns the exit code of this program
 * @throws Failure, exit code 64 for a runbook that cannot be rendered
 */
export async function runLocal(run: LocalRun): Promise<number> {
  const rendered = render(run)
  const script = Buffer.from(rendered.bytes)
  if (run.dryRun === true) {
    await new ByteOutput(1).write(script)
    return exitCodes.done
  }
  const local = localConnection(run.connection, run.words, run.config)
  return executeHere({ ...local, script, envVars: new Map([...run.envVars, ...rendered.env]) }, run)
}

function render({ file, parameters }: LocalRun): Rendered {
  try {
    return parseTemplate(decodeText(readSmallFile(file, MAX_FILE_BYTES).bytes)).render(parameters)
  } catch (error) {
    if (error instanceof FileRefused) throw new Failure(`${file} ${error.message}`, exitCodes.usage)
    if (error instanceof TemplateError) throw new Failure(`${file}: ${error.message}`, exitCodes.usage)
    throw error
  }
}
