import { BackupError } from '../../gateway/operating/backup-format.ts'
import { startGateway, type Gateway } from '../../gateway/gateway.ts'
import type { Logger } from '../../basics/logger.ts'
import { ForeignPathError } from '../../basics/files/private-path.ts'
import { HistoryError } from '../../gateway/store/errors.ts'
import { RunbookError } from '../../gateway/refusals/runbook-errors.ts'
import { loadSettings } from '../../gateway/settings/load.ts'
import { printGatewaySettings } from '../../gateway/settings/print.ts'
import { SettingsError } from '../../basics/settings/problems.ts'
import type { Examples } from '../../gateway/settings/examples.ts'
import type { GatewayFile } from '../../gateway/settings/reload.ts'
import type { GatewaySettings } from '../../gateway/settings/settings.ts'
import { SetUpError } from '../../basics/set-up-error.ts'
import type { Life } from '../../operations/systemd.ts'
import { createLogger } from '../../log.ts'
import { explain, Failure } from '../exit-codes.ts'
import { logSettings, onReloadSignal, onShutdownSignals, openSystemd } from '../long-running.ts'
import { version } from '../version.ts'

/** A stop takes at most this time in addition to `stop-timeout`. */
const STOP_MS = 60_000

export interface GatewayFlags {
  readonly config: string
  readonly json?: boolean
  /** Runs only the checks of `check.ts`. */
  readonly check?: boolean
}

/** Serves until the process gets a signal. */
export async function gatewayCommand(flags: GatewayFlags): Promise<void> {
  const log = await createLogger(logSettings('info'))
  const source = gatewayFile(flags.config, log)
  const gateway = await openGateway(source, log)
  const life = { isStopping: false }
  using systemd = await openSystemd({
    life: () => lifeOf(gateway, life),
    stopWithinMs: () => gateway.stopTimeoutMs() + STOP_MS,
    log,
  })
  systemd?.update()
  // The gateway logs whether the reload succeeded or failed.
  const reload = () =>
    gateway.reload().then(
      () => undefined,
      () => undefined,
    )
  onReloadSignal(() => void (systemd === undefined ? reload() : systemd.reload(reload)))
  const { http, grpc, metrics } = gateway
  const ready = { event: 'ready', http, grpc, ...(metrics !== undefined && { metrics }), pid: process.pid }
  process.stdout.write(flags.json ? `${JSON.stringify(ready)}\n` : `gateway serves ${http} and ${grpc}\n`)
  const hurry = new AbortController()
  await new Promise<void>((resolve) => onShutdownSignals({ drain: resolve, stop: () => hurry.abort() }))
  life.isStopping = true
  systemd?.update()
  await gateway.drain(hurry.signal)
  await gateway.close()
}

/** `systemctl status` shows these words. */
function lifeOf({ http, grpc, running }: Gateway, { isStopping }: { readonly isStopping: boolean }): Life {
  const doing = isStopping ? 'stopping' : `serves ${http} and ${grpc}`
  const count = running()
  return {
    isReady: true,
    isStopping,
    words: `${doing}, ${count} ${count === 1 ? 'session' : 'sessions'} running`,
  }
}

/** @param log gets one line for each secret that other users can read */
export function gatewayFile(file: string, log?: Pick<Logger, 'warn'>): GatewayFile {
  const told = new Set<string>()
  const warn = (warning: string) => {
    if (!told.has(warning)) log?.warn({ warning }, 'settings')
    told.add(warning)
  }
  const print = () => printGatewaySettings(file, process.env)
  return { file, print, read: () => loadSettings(file, process.env, warn) }
}

/**
 * @param examples what `dev` has made, so that admins can remove it
 * @throws Failure with every problem of the settings file, one per line, or with advice if a port is in use,
 * a folder is not writable, or git is missing
 */
export async function openGateway(source: GatewayFile, log: Logger, examples?: Examples): Promise<Gateway> {
  const settings = readGatewaySettings(source)
  try {
    return await startGateway(settings, { source, log, version, examples })
  } catch (error) {
    throw openFailure(error as NodeJS.ErrnoException, settings)
  }
}

/** @throws Failure with every problem of the settings file, one per line */
export function readGatewaySettings({ read }: GatewayFile): GatewaySettings {
  try {
    return read()
  } catch (error) {
    throw error instanceof SettingsError ? new Failure(error.message) : error
  }
}

function openFailure(error: NodeJS.ErrnoException, { listen, state }: GatewaySettings): Error {
  const ports = `${listen.http.host}:${listen.http.port} or ${listen.grpc.host}:${listen.grpc.port}`
  if (error instanceof SetUpError) return new Failure(error.message)
  if (error instanceof HistoryError || error instanceof RunbookError || error instanceof BackupError)
    return new Failure(error.message)
  if (error instanceof ForeignPathError)
    return new Failure(
      `the state folder is not safe: ${error.message}. Choose a folder that only this user can write to, for example a subfolder (state, --state)`,
    )
  if (error.code === 'EADDRINUSE' || /EADDRINUSE|No address added/.test(error.message)) {
    return new Failure(
      `cannot listen on ${ports}: the port is in use. Stop the program that uses this port, or choose other ports: set listen in the settings, or run npm start -- --http 127.0.0.1:0 --grpc 127.0.0.1:0`,
    )
  }
  if (
    error.code === 'EACCES' ||
    error.code === 'EROFS' ||
    error.code === 'ENOTDIR' ||
    error.code === 'EEXIST'
  ) {
    return explain(
      error,
      `cannot use the state folder ${state} or listen on ${ports}`,
      'Choose a folder you may write to (state, --state) and ports above 1023',
    )
  }
  return error
}
