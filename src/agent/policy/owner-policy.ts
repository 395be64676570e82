import { realpathSync } from 'node:fs'
import path from 'node:path'
import { loadsCode } from '../../basics/code-variables.ts'
import type { CompiledRules } from '../../policy/guardrails/compile-rules.ts'
import type { RuleSet } from '../../policy/guardrails/rules.ts'
import { SpawnError } from '../../runtime/exit-status.ts'
import { findProgram } from '../../runtime/lookup.ts'
import type { BareExecRequest, HookRequest } from '../../wire/messages/system-request.ts'
import type { ConnectionParams } from '../../wire/params.ts'
import { notAllowed, quotedName } from '../refused.ts'

/** The places where commands find their program. */
interface ProgramSearch {
  readonly path: string
  readonly cwd: string
}

/** Returns where programs are searched for. No variable of a connection or a client changes it. */
export function programSearch(services: {
  readonly inherited: ReadonlyMap<string, string>
  readonly cwd: string
}): ProgramSearch {
  return { path: services.inherited.get('PATH') ?? '', cwd: services.cwd }
}

/** The programs that may be started: paths, and names as the agent's PATH finds them. */
class AllowedPrograms {
  readonly #programs: readonly string[]

  constructor(programs: readonly string[]) {
    this.#programs = programs
  }

  /**
   * Compares files, not names: `/tmp/psql` is another program than the allowed `psql`. Links are resolved in
   * the file's folder, but not in the file itself: `sh` and `bash` may be links to one program whose
   * behaviour depends on its name.
   * @throws RefusedError
   */
  check(program: string, search: ProgramSearch): void {
    // A plain name from the list is allowed even if the program is missing: then its start fails with a clear
    // error.
    if (!program.includes('/') && this.#programs.includes(program)) return
    const file = placeOf(program, search)
    if (file !== undefined && this.#programs.some((allowed) => placeOf(allowed, search) === file)) return
    throw notAllowed('policy.programs', `the program ${quotedName(program)}`)
  }
}

/** Returns undefined when there is no such program. */
export function placeOf(program: string, search: ProgramSearch): string | undefined {
  try {
    const file = findProgram(program, search.path, search.cwd)
    return path.join(realpathSync(path.dirname(file)), path.basename(file))
  } catch (error) {
    if (error instanceof SpawnError || 'code' in (error as Error)) return undefined
    throw error
  }
}

/**
 * Rules of the server's owner. They are compiled at the start, so each of them can be enforced. Undefined:
 * there are none.
 */
export interface OwnerRules {
  readonly input: CompiledRules | undefined
  readonly output: CompiledRules | undefined
  /** The rules from which `output` was compiled. */
  readonly outputSets: readonly RuleSet[]
}

/** Undefined allows all. */
interface AllowLists {
  readonly programs: readonly string[] | undefined
  /** Variables of callers, beside the harmless ones. Undefined allows all, unless there are `programs`. */
  readonly variables: readonly string[] | undefined
  readonly connections: readonly string[] | undefined
  readonly origins: readonly string[] | undefined
}

/** Names of variables that no program takes for code, which callers may set wherever programs are listed. */
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

/** The restrictions of a server's owner, whatever a gateway allows. */
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
   * Checks a gateway's own request, whose origin is its kind. A request without a connection passes the list
   * of connections only where its kind is listed: the author of such a list did not think of commands without
   * a connection.
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
   * Judges the variables of a session before their values are fetched, so that no variable turns an allowed
   * program into another one. Callers may set listed names, and names that the connection has already, whose
   * values win. The authors of the connection know its own variables, so of those only names are refused by
   * which any program runs code.
   * @param connection names alone or as entries (`filesystem:NAME`), as are those of `caller`
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

function nameIn(entry: string): string {
  return entry.slice(entry.indexOf(':') + 1)
}

/** The current policy, which may be reloaded. A session keeps the policy with which it was opened. */
export interface PolicySource {
  readonly current: OwnerPolicy | undefined
}

/** Names in which `*` stands for any characters, also none. Matching takes time in proportion to the name. */
export class AllowList {
  readonly #patterns: readonly string[]

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns
  }

  has(name: string): boolean {
    return this.#patterns.some((pattern) => matches(pattern.split('*'), name))
  }
}

/** @param parts the texts between the asterisks */
function matches([first = '', ...rest]: readonly string[], name: string): boolean {
  const last = rest.pop()
  if (last === undefined) return name === first
  if (!name.startsWith(first) || !name.endsWith(last)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= name.length - last.length
}
