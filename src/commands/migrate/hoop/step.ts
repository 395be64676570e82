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

/** One object of hoop's, and what has to be done to it. */
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
  /** Where keys of new agents are written, one file each. Undefined: no agent can be made. */
  readonly keyFolder: string | undefined
  /** Whether hoop's access control may be switched on. */
  readonly accessControl: boolean
  /** Whether secrets that hoop does not show are written again. */
  readonly secrets: boolean
}

/** What all steps are made from. */
export interface Migration {
  readonly settings: GatewaySettings
  readonly carried: Carried
  readonly present: HoopState
  readonly ids: Ids
  readonly account: Account
  readonly options: MigrationOptions
}

/** hoop's ids of what is there, by kind and name: of new things from the moment they are made. */
export class Ids {
  readonly #ids = new Map<string, string>()

  set(kind: Kind, name: string, id: unknown): void {
    if (typeof id === 'string' && id !== '') this.#ids.set(`${kind} ${name}`, id)
  }

  /** Undefined for what is not made yet. */
  get(kind: Kind, name: string): string | undefined {
    return this.#ids.get(`${kind} ${name}`)
  }

  /** For the moment of writing: what is needed has been made by an earlier step. */
  made(kind: Kind, name: string): string {
    const id = this.get(kind, name)
    if (id === undefined) throw new Error(`hoop has given no id for the ${kind} ${name}`)
    return id
  }
}

/** Nothing to do for it. */
export function sameStep(kind: Kind, name: string): MigrationStep {
  return { kind, name, action: 'same', parts: [], write: () => Promise.resolve() }
}
