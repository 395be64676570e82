import { existsSync } from 'node:fs'
import { SettingsError } from '../../basics/settings/problems.ts'
import { type AgentConfiguration, loadAgentSettings } from '../../config.ts'
import { locateFile, type SettingsSource } from '../../config/settings-file.ts'
import { type Finding, broken, ok, warning } from './finding.ts'
/** Warnings that the checks of the key say better, since they look at the file. */
const SAID_LATER = /chmod 600|prefer key-file/

/** Whether `start` could read its settings, with everything that is wrong. */
export function checkSettings(source: SettingsSource): Finding<AgentConfiguration> {
  try {
    return accepted(loadAgentSettings(source), source)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return broken(`cannot be used (${fileOf(source)})`, error.message)
  }
}

function accepted(settings: AgentConfiguration, source: SettingsSource): Finding<AgentConfiguration> {
  const warnings = settings.warnings.filter((one) => !SAID_LATER.test(one))
  const found = `can be used (${fileOf(source)})`
  return warnings.length === 0 ? ok(found, settings) : warning(found, warnings.join('\n'), settings)
}

function fileOf(source: SettingsSource): string {
  const { path } = locateFile(source)
  return existsSync(path) ? path : 'no settings file'
}

export function checkVersion(version: string): Finding {
  return ok(`runbook-agent ${version}, Node ${process.version}, ${process.platform} ${process.arch}`)
}
