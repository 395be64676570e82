import { loadSettings } from '../../src/gateway/settings/load.ts'
import type { GatewaySettings } from '../../src/gateway/settings/settings.ts'
import { Workplace } from './sites/workplace.ts'

/** The settings of a gateway.yaml with this text, in a folder without other files. @throws SettingsError */
export function settingsOf(text: string, env: NodeJS.ProcessEnv = {}): GatewaySettings {
  using place = new Workplace()
  return loadSettings(place.write('gateway.yaml', text), env)
}
