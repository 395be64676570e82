import type { UrlCredentials, Remote } from '../../settings/repositories.ts'

/** The complete environment of a child: no other variables are inherited. */
export type GitEnvironment = Readonly<Record<string, string>>

/**
 * Variables that git gets. It does not get other variables, for example GIT_DIR, GIT_EXEC_PATH and tokens.
 */
const PASSED_ON = [
  'PATH',
  'HOME',
  'SSH_AUTH_SOCK',
  'GIT_SSH_COMMAND',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  'http_proxy',
  'https_proxy',
  'all_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
]

/**
 * Reads the password from the environment, so that no argv and no file contains it. git asks the helper only
 * for `origin`, so a redirect cannot send the password to another host.
 */
const CREDENTIAL_HELPER =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$RUNBOOK_GIT_USERNAME" "$RUNBOOK_GIT_PASSWORD"; }; f'

/** Allows no prompts, no hooks and no user configuration. */
export function mirrorEnvironment(outer: NodeJS.ProcessEnv): GitEnvironment {
  return { ...base(outer), GIT_CONFIG_GLOBAL: '/dev/null', ...configured(SAFE_SETTINGS) }
}

/**
 * For a local repository, `globalConfig` replaces the user's configuration. git does not pass
 * GIT_CONFIG_COUNT to upload-pack, but upload-pack reads this file.
 */
export function fetchEnvironment(
  outer: NodeJS.ProcessEnv,
  remote: Remote,
  globalConfig: string,
): GitEnvironment {
  const own = base(outer)
  if (remote.kind === 'local')
    return { ...own, GIT_CONFIG_GLOBAL: globalConfig, ...configured(SAFE_SETTINGS) }
  if (remote.kind === 'ssh' || remote.credentials === undefined)
    return { ...own, ...configured(SAFE_SETTINGS) }
  return { ...own, ...withCredentials(remote.origin, remote.credentials) }
}

type Setting = readonly [key: string, value: string]

const SAFE_SETTINGS: readonly Setting[] = [
  ['core.hooksPath', '/dev/null'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
]

function base(outer: NodeJS.ProcessEnv): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const name of PASSED_ON) {
    const value = outer[name]
    if (value !== undefined) environment[name] = value
  }
  environment['GIT_SSH_COMMAND'] ??= 'ssh -oBatchMode=yes'
  return {
    ...environment,
    LANG: 'C',
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    GIT_ALLOW_PROTOCOL: 'file:https:ssh',
    GIT_NO_REPLACE_OBJECTS: '1',
  }
}

function withCredentials(origin: string, credentials: UrlCredentials): Record<string, string> {
  const section = `credential.${origin}`
  // The empty helper removes the user's own helpers, because git would ask them to store this password. The
  // helpers stay if the URL has no password (`https://me@host/`). git then asks the helpers first, and tries
  // the name as a token afterwards.
  const clear: Setting[] = credentials.password === undefined ? [] : [[`${section}.helper`, '']]
  const settings: Setting[] = [
    ...SAFE_SETTINGS,
    [`${section}.username`, credentials.username],
    ...clear,
    [`${section}.helper`, CREDENTIAL_HELPER],
  ]
  return {
    ...configured(settings),
    RUNBOOK_GIT_USERNAME: credentials.username,
    RUNBOOK_GIT_PASSWORD: credentials.password ?? '',
  }
}

/** Puts the settings into the environment, because every user of the machine could read `-c` in argv. */
function configured(settings: readonly Setting[]): Record<string, string> {
  const environment: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.length) }
  for (const [index, [key, value]] of settings.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key
    environment[`GIT_CONFIG_VALUE_${index}`] = value
  }
  return environment
}
