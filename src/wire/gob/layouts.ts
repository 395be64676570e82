import { INTERFACE, STRING, type TypeDefinition } from './encode.ts'
// Go numbers types per process, and any number from 64 up will do. These are the ones in test/fixtures/vectors, so that our
// encoding can be compared byte for byte with Go's.
const PARAMS = 64
export const ENV_VARS = 65
export const STRINGS = 66
export const ANALYZER = 67
const STRING_TO_STRING = 75

const STRINGS_TYPE = { kind: 'slice', id: STRINGS, name: '[]string', element: STRING } as const

const ENV_VARS_TYPE = {
  kind: 'map',
  id: ENV_VARS,
  name: 'map[string]interface {}',
  key: STRING,
  element: INTERFACE,
} as const

/** Fields of Go's AISessionAnalyzerParams, in order, with their types. */
export const ANALYZER_FIELDS = {
  RuleName: STRING,
  Provider: STRING,
  APIURL: STRING,
  APIKey: STRING,
  Model: STRING,
  CustomPrompt: STRING,
  LowRiskAction: STRING,
  MediumRiskAction: STRING,
  HighRiskAction: STRING,
} as const

/** Definitions for `agent.connection_params`, in the order Go sends them. @param fields in order, with their types */
export function paramsLayout(
  fields: Readonly<Record<string, number>>,
): readonly [TypeDefinition, ...TypeDefinition[]] {
  return [
    { kind: 'struct', id: PARAMS, name: 'AgentConnectionParams', fields },
    ENV_VARS_TYPE,
    STRINGS_TYPE,
    { kind: 'struct', id: ANALYZER, name: 'AISessionAnalyzerParams', fields: ANALYZER_FIELDS },
  ]
}

/** Definition of `[]string`, for `terminal.args`. */
export const STRING_LIST_LAYOUT: readonly [TypeDefinition] = [STRINGS_TYPE]

/** Definition of `map[string]string`, for `terminal.envvars`; Go sends it without a name. */
export const STRING_MAP_LAYOUT: readonly [TypeDefinition] = [
  { kind: 'map', id: STRING_TO_STRING, name: '', key: STRING, element: STRING },
]
