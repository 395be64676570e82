import { defaultJson, type JsonSchema, orNull } from '../basics/settings/json-schema.ts'
import { about, jsonOf } from '../basics/settings/shapes.ts'
import { settings, type Setting } from './table.ts'

/** `agent.yaml` for editors: each setting by its dotted name, and as a member of its group. */
export function agentSchema(): JsonSchema {
  const groups = new Map<string, Record<string, JsonSchema>>()
  const properties: Record<string, JsonSchema> = {}
  for (const setting of settings) {
    const [group, member] = setting.name.split('.')
    properties[setting.name] = settingJson(setting)
    if (group === undefined || member === undefined) continue
    groups.set(group, { ...groups.get(group), [member]: settingJson(setting) })
  }
  for (const [name, members] of groups) properties[name] = groupJson(members, properties[name])
  return { type: ['object'], properties, additionalProperties: false }
}

/** @param own of a setting that has the name of the group, as `redact` */
function groupJson(members: Readonly<Record<string, JsonSchema>>, own: JsonSchema | undefined): JsonSchema {
  const group = orNull({ type: ['object'], properties: members, additionalProperties: false })
  const { description = '', ...itself } = own ?? {}
  return own === undefined ? group : { anyOf: [itself, group], description }
}

function settingJson({ kind, description, isOfMachine, default: value }: Setting): JsonSchema {
  return {
    ...orNull(jsonOf(about(description, kind))),
    ...defaultJson(isOfMachine === true ? undefined : value),
  }
}
