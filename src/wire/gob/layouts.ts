import { BYTES, INTERFACE, STRING, type TypeDefinition } from './encode.ts'
// Go numbers types per process, and any number from 64 up will do. These are the ones in test/fixtures/vectors, so that our
// encoding can be compared byte for byte with Go's.
const PARAMS = 64
const ENV_VARS = 65
const STRINGS = 66
const ANALYZER = 67
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

/** Fields of Go's AgentConnectionParams, in order, with their types (protocol.md 3.2). */
export const PARAMS_FIELDS = {
  ConnectionName: STRING,
  ConnectionType: STRING,
  ConnectionSubType: STRING,
  UserID: STRING,
  UserEmail: STRING,
  EnvVars: ENV_VARS,
  CmdList: STRINGS,
  ClientArgs: STRINGS,
  ClientVerb: STRING,
  ClientOrigin: STRING,
  DlpProvider: STRING,
  DlpMode: STRING,
  DLPInfoTypes: STRINGS,
  DlpGcpRawCredentialsJSON: STRING,
  DlpPresidioAnalyzerURL: STRING,
  DlpPresidioAnonymizerURL: STRING,
  DataMaskingEntityTypesData: BYTES,
  GuardRailRules: BYTES,
  AnalyzerMetricsRules: BYTES,
  AISessionAnalyzer: ANALYZER,
} as const

/** Definitions for `agent.connection_params`, in the order Go sends them. */
export const PARAMS_LAYOUT: readonly [TypeDefinition, ...TypeDefinition[]] = [
  { kind: 'struct', id: PARAMS, name: 'AgentConnectionParams', fields: PARAMS_FIELDS },
  ENV_VARS_TYPE,
  STRINGS_TYPE,
  { kind: 'struct', id: ANALYZER, name: 'AISessionAnalyzerParams', fields: ANALYZER_FIELDS },
]

/** Definition of `[]string`, for `terminal.args`. */
export const STRING_LIST_LAYOUT: readonly [TypeDefinition] = [STRINGS_TYPE]

/** Definition of `map[string]string`, for `terminal.envvars`; Go sends it without a name. */
export const STRING_MAP_LAYOUT: readonly [TypeDefinition] = [
  { kind: 'map', id: STRING_TO_STRING, name: '', key: STRING, element: STRING },
]
