import type { GatewaySettings } from './settings.ts'

/** The settings in force. They are replaced as a whole, so keep this, not a part of its value. */
export class CurrentSettings {
  #value: GatewaySettings

  constructor(value: GatewaySettings) {
    this.#value = value
  }

  get value(): GatewaySettings {
    return this.#value
  }
}
