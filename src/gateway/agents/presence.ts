/** How an agent has come: what it has said then, and from where. */
export interface Arrival {
  /** Its program and machine: hoop's names, as they stand in its headers. */
  readonly facts: Readonly<Record<string, string>>
  readonly address: string
  /** Sessions that it runs at once; undefined where it has not said so, as hoop's agents. */
  readonly sessionLimit: number | undefined
}

/** Why an agent takes nothing new any more. `drained`: it was told to stop. `retired`: its key is not in the settings. */
export type Departure = 'drained' | 'retired' | 'disconnected' | 'ended'

/** For people. */
export const DEPARTURE_WORDS: Readonly<Record<Departure, string>> = {
  drained: 'it was told to stop, and finishes its sessions before',
  retired: 'its key is not in the settings any more',
  disconnected: 'its connection broke off',
  ended: 'it ended its stream without saying that it leaves',
}

/** The newest stream of an agent, since this gateway started. */
export interface Presence {
  readonly arrival: Arrival
  readonly since: Date
  /** Undefined while the agent takes new sessions. */
  readonly left?: { readonly at: Date; readonly why: Departure }
}
