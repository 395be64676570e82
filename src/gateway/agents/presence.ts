export interface Arrival {
  /** Facts about the agent's program and machine, by the names of hoop's headers. */
  readonly facts: Readonly<Record<string, string>>
  readonly address: string
  /**
   * Maximum number of parallel sessions. Undefined for agents that do not report this limit, such as hoop's
   * agents.
   */
  readonly sessionLimit: number | undefined
}

/** `drained`: the agent was told to stop. `retired`: its key is no longer in the settings. */
export type Departure = 'drained' | 'retired' | 'disconnected' | 'ended'

export const DEPARTURE_WORDS: Readonly<Record<Departure, string>> = {
  drained: 'the agent is draining: it finishes its sessions and accepts no new sessions',
  retired: "the agent's key is no longer in gateway.yaml",
  disconnected: 'the connection of the agent was lost',
  ended: 'the agent ended its stream without an announcement',
}

/** Replaces the text of `drained` after the stream has ended. */
export const STOPPED_WORDS = 'the agent was told to stop, and has stopped'

/** The newest stream of an agent since the gateway started. */
export interface Presence {
  readonly arrival: Arrival
  readonly since: Date
  readonly left?: { readonly at: Date; readonly why: Departure }
}
