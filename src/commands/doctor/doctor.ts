import { version } from '../version.ts'
import { examine } from './examine.ts'
import { worst, type Line, humanLine, humanSum, jsonReport } from './finding.ts'
/** The settings of `start`, and `json`. */
export type DoctorFlags = Readonly<Record<string, string | boolean | undefined>>

const exitCodes = { ok: 0, warning: 1, broken: 2 } as const

/**
 * `runbook-agent doctor`: tests everything that the agent needs, also beside a running one, and prints the findings on
 * stdout.
 * @returns the exit code: 0 well, 1 warnings, 2 broken
 */
export async function doctorCommand(flags: DoctorFlags): Promise<number> {
  const { env, stdout, stderr, argv } = process
  const isJson = flags['json'] === true
  const coloured = stdout.isTTY && !env['NO_COLOR']
  // The checks go on when the reader leaves (`| head`): the exit code is still to come.
  stdout.on('error', () => undefined)
  const lines: Line[] = []
  const tell = (line: Line) => {
    lines.push(line)
    if (!isJson) stdout.write(humanLine(line, coloured))
  }
  const source = { flags, env, stderrIsTty: stderr.isTTY }
  await examine({ source, version, main: argv[1] ?? '', tell })
  stdout.write(isJson ? jsonReport(lines, version) : `\n${humanSum(lines)}`)
  return exitCodes[worst(lines.map(({ level }) => level))]
}
