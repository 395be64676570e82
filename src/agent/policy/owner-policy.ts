import { realpathSync } from 'node:fs'
import path from 'node:path'
import { loadsCode } from '../../basics/code-variables.ts'
import { hasParts } from '../../basics/text/wildcard.ts'
import type { CompiledRules } from '../../policy/guardrails/compile-rules.ts'
import type { RuleSet } from '../../policy/guardrails/rules.ts'
import { SpawnError } from '../../runtime/exit-status.ts'
import { findProgram } from '../../runtime/lookup.ts'
import type { BareExecRequest, HookRequest } from '../../wire/messages/system-request.ts'
import type { ConnectionParams } from '../../wire/params.ts'
import { RefusedError, type AllowListName } from '../refused.ts'

interface ProgramSearch {
  readonly path: string
  readonly cwd: string
}

/** Returns where programs are searched for. No variable of a connection or a client changes this. */
export function programSearch(services: {
  readonly inherited: ReadonlyMap<string, string>
  readonly cwd: string
}): ProgramSearch {
  return { path: services.inherited.get('PATH') ?? '', cwd: services.cwd }
}

/** The allowed programs. An entry is a path, or a name that the agent's PATH finds. */
class AllowedPrograms {
  readonly #programs: readonly string[]

  constructor(programs: readonly string[]) {
    this.#programs = programs
  }

  /**
   * Compares files, not names: `/tmp/psql` is not the allowed `psql`. Links in the folder's path are
   * resolved. A link at the end of the path is not resolved: `sh` and `bash` may be links to one program that
   * behaves by its name.
   * @throws RefusedError
   */
  check(program: string, search: ProgramSearch): void {
    // A listed name is allowed even if the program is missing: its start then fails with a clear error.
    if (!program.includes('/') && this.#programs.includes(program)) return
    const file = resolveProgram(program, search)
    if (file !== undefined && this.#programs.some((allowed) => resolveProgram(allowed, search) === file))
      return
    const what = program === '' ? 'connections without a command' : `the program ${quotedName(program)}`
    throw notAllowed('policy.programs', what)
  }
}

/** Returns undefined if there is no such program. */
export function resolveProgram(program: string, search: ProgramSearch): string | undefined {
  try {
    const file = findProgram(program, search.path, search.cwd)
    return path.join(realpathSync(path.dirname(file)), path.basename(file))
  } catch (error) {
    if (error instanceof SpawnError || 'code' in (error as Error)) return undefined
    throw error
  }
}

/**
 * The rules of the server's owner. They are compiled before any session uses them, so each rule can be
 * enforced.
 */
export interface OwnerRules {
  readonly input: CompiledRules | undefined
  readonly output: CompiledRules | undefined
  /** The rules from which `output` was compiled. */
  readonly outputSets: readonly RuleSet[]
}

/** The lists of the server's owner. If a list is undefined, everything is allowed. */
interface AllowLists {
  readonly programs: readonly string[] | undefined
  /**
   * Variables that callers may set besides the harmless ones. If undefined, callers may set all variables.
   * But if `programs` are listed and `variables` is undefined, callers may set only the harmless ones.
   */
  readonly variables: readonly string[] | undefined
  readonly connections: readonly string[] | undefined
  readonly origins: readonly string[] | undefined
}

/** Variables that no program runs as code. Callers may set them even if `programs` are listed. */
const HARMLESS_VARIABLES = [
  'HOOP_*',
  'LANG',
  'LC_*',
  'TZ',
  'TERM',
  'COLORTERM',
  'COLUMNS',
  'LINES',
  'NO_COLOR',
]

/** The restrictions of a server's owner. A gateway cannot remove them. */
export class OwnerPolicy {
  readonly rules: OwnerRules
  readonly #programs: AllowedPrograms | undefined
  readonly #variables: AllowList | undefined
  readonly #connections: AllowList | undefined
  readonly #origins: AllowList | undefined

  constructor(rules: OwnerRules, { programs, variables, connections, origins }: AllowLists) {
    this.rules = rules
    this.#programs = programs && new AllowedPrograms(programs)
    this.#variables =
      programs || variables ? new AllowList([...HARMLESS_VARIABLES, ...(variables ?? [])]) : undefined
    this.#connections = connections && new AllowList(connections)
    this.#origins = origins && new AllowList(origins)
  }

  /** @throws RefusedError */
  checkSession({ connectionName, clientOrigin }: Pick<ConnectionParams, 'connectionName' | 'clientOrigin'>) {
    if (this.#origins?.has(clientOrigin) === false)
      throw notAllowed('policy.origins', `sessions of the origin ${quotedName(clientOrigin)}`)
    if (this.#connections?.has(connectionName) === false)
      throw notAllowed('policy.connections', `the connection ${quotedName(connectionName)}`)
  }

  /**
   * Checks a request of the gateway itself. The request's kind counts as its origin. If connections are
   * listed, a request without a connection needs a listed origin: the author of the list did not think of
   * such requests.
   * @throws RefusedError
   */
  checkSystem(request: HookRequest | BareExecRequest): void {
    const { kind } = request
    if (request.kind === 'bare-exec') this.checkVariables([], request.variables.keys())
    if (this.#origins?.has(kind) === false) throw notAllowed('policy.origins', `requests of the kind ${kind}`)
    const name = request.kind === 'hook' ? request.connection : ''
    if (this.#connections === undefined || this.#connections.has(name)) return
    if (name !== '') throw notAllowed('policy.connections', `the connection ${quotedName(name)}`)
    if (this.#origins === undefined)
      throw notAllowed('policy.connections', `a ${kind} that names no connection`)
  }

  /**
   * Judges variables before their values are fetched. No variable may turn an allowed program into another.
   * Callers may set listed names. They may also set names of the connection, because the connection's values
   * win. If programs are listed, a variable of the connection is refused only if any program runs code by it:
   * the authors of the connection know its other variables.
   * @param connection names, also in the form of entries (`filesystem:NAME`); `caller` accepts the same forms
   * @throws RefusedError
   */
  checkVariables(connection: Iterable<string>, caller: Iterable<string>): void {
    const own = new Set(Array.from(connection, nameIn))
    if (this.#programs !== undefined) {
      const loading = [...own].find(loadsCode)
      if (loading !== undefined) throw notAllowed('policy.programs', `the variable ${quotedName(loading)}`)
    }
    const refused = Array.from(caller, nameIn).find(
      (name) => !own.has(name) && this.#variables?.has(name) === false,
    )
    if (refused !== undefined)
      throw notAllowed('policy.variables', `a caller's variable ${quotedName(refused)}`)
  }

  /** @throws RefusedError */
  checkProgram(program: string, search: ProgramSearch): void {
    this.#programs?.check(program, search)
  }
}

/** @param what e.g. `the connection "x"` */
function notAllowed(list: AllowListName, what: string): RefusedError {
  const message = `the owner of this server does not allow ${what} here (${list} of the agent). Nothing was run`
  return new RefusedError(message, 'PolicyRefusal', list)
}

/** Maximum number of characters that a message shows of a name. A gateway can send names of any length. */
const MAX_NAME_CHARACTERS = 100

function quotedName(name: string): string {
  return JSON.stringify(name.length > MAX_NAME_CHARACTERS ? `${name.slice(0, MAX_NAME_CHARACTERS)}...` : name)
}

function nameIn(entry: string): string {
  return entry.slice(entry.indexOf(':') + 1)
}

/** The current policy may be reloaded. A session keeps the policy with which it was opened. */
export interface PolicySource {
  readonly current: OwnerPolicy | undefined
}

/** Names in which `*` stands for zero or more characters. Matching takes time in proportion to the name. */
export class AllowList {
  readonly #patterns: readonly string[]

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
  }

  has(name: string): boolean {
    return this.#patterns.some((pattern) => hasParts(pattern.split('*'), name))
  }
}
