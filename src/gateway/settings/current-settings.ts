import type { GatewaySettings } from './settings.ts'

/** Where to look up the settings in force, or those of their parts that somebody needs. Don't keep a part of the value. */
export interface Current<Part extends keyof GatewaySettings> {
  readonly value: Pick<GatewaySettings, Part>
}

/** The settings in force. They are replaced as a whole when the file is read again. */
export class CurrentSettings implements Current<keyof GatewaySettings> {
  #value: GatewaySettings

  constructor(value: GatewaySettings) {
    this.#value = value
  }

  get value(): GatewaySettings {
    return this.#value
  }

  replace(value: GatewaySettings): void {
    this.#value = value
  }
}
