import type { Account } from '../../../client/account/account.ts'
import type { GatewaySettings } from '../../../gateway/settings/settings.ts'
import type { Carried } from './carried.ts'
import type { HoopState } from './state.ts'

export type Kind =
  | 'agent'
  | 'guardrail'
  | 'jira site'
  | 'jira template'
  | 'repository'
  | 'review rule'
  | 'runbook rule'
  | 'access control'
  | 'connection'
  | 'groups'
  | 'masking rule'

/** One object of hoop's, and the change that it needs. */
export interface MigrationStep {
  readonly kind: Kind
  readonly name: string
  readonly action: 'create' | 'change' | 'same'
  /** Names of what differs; never values. */
  readonly parts: readonly string[]
  /** @throws ApiError when hoop refuses it */
  readonly write: () => Promise<void>
}

export interface MigrationOptions {
  /** The folder for the keys of new agents, one file each; undefined when no agent can be created. */
  readonly keyFolder: string | undefined
  /** Whether hoop's access control may be switched on. */
  readonly accessControl: boolean
  /** Whether secrets that hoop does not show are written again. */
  readonly secrets: boolean
}

/** The input of all steps. */
export interface Migration {
  readonly settings: GatewaySettings
  readonly carried: Carried
  readonly present: HoopState
  readonly ids: Ids
  readonly account: Account
  readonly options: MigrationOptions
}

/** hoop's ids by kind and name; new objects are added when they are created. */
export class Ids {
  readonly #ids = new Map<string, string>()

  set(kind: Kind, name: string, id: unknown): void {
    if (typeof id === 'string' && id !== '') this.#ids.set(`${kind} ${name}`, id)
  }

  /** Undefined for an object that does not exist yet. */
  get(kind: Kind, name: string): string | undefined {
    return this.#ids.get(`${kind} ${name}`)
  }

  /** The id of an object that an earlier step has created. */
  made(kind: Kind, name: string): string {
    const id = this.get(kind, name)
    if (id === undefined) throw new Error(`hoop has given no id for the ${kind} ${name}`)
    return id
  }
}

/** A step without a change. */
export function sameStep(kind: Kind, name: string): MigrationStep {
  return { kind, name, action: 'same', parts: [], write: () => Promise.resolve() }
}
