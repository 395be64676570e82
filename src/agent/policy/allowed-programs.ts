import { realpathSync } from 'node:fs'
import path from 'node:path'
import { SpawnError } from '../../runtime/exit-status.ts'
import { findProgram } from '../../runtime/lookup.ts'
import { notAllowed, quotedName } from '../refused.ts'

/** How commands find their program. */
export interface ProgramSearch {
  readonly path: string
  readonly cwd: string
}

/** Where programs are looked for: no variable of a connection or a client changes it. */
export function programSearch(services: {
  readonly inherited: ReadonlyMap<string, string>
  readonly cwd: string
}): ProgramSearch {
  return { path: services.inherited.get('PATH') ?? '', cwd: services.cwd }
}

/** The programs that may be started: paths, and names as the agent's PATH finds them. */
export class AllowedPrograms {
  readonly #programs: readonly string[]

  constructor(programs: readonly string[]) {
    this.#programs = programs
  }

  /**
   * Compares files, not names: `/tmp/psql` is another program than the `psql` that is allowed. The folder of a file is
   * taken without links, the file is not: `sh` and `bash` may be links to one program that does as it is called.
   * @throws RefusedError
   */
  check(program: string, search: ProgramSearch): void {
    // By its name alone it is what the list means, even where it is missing: its start then says so.
    if (!program.includes('/') && this.#programs.includes(program)) return
    const file = placeOf(program, search)
    if (file !== undefined && this.#programs.some((allowed) => placeOf(allowed, search) === file)) return
    throw notAllowed('policy.programs', `the program ${quotedName(program)}`)
  }
}

/** Undefined when there is no such program. */
export function placeOf(program: string, search: ProgramSearch): string | undefined {
  try {
    const file = findProgram(program, search.path, search.cwd)
    return path.join(realpathSync(path.dirname(file)), path.basename(file))
  } catch (error) {
    if (error instanceof SpawnError || 'code' in (error as Error)) return undefined
    throw error
  }
}
