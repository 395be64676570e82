import type { Logger } from '../../../basics/logger.ts'
import { oneLine } from '../../../basics/text/one-line.ts'
import { onAbort } from '../../../basics/abort.ts'
import { SetUpError } from '../stores.ts'

/** Loads packages of AWS, which an installation may leave out. @throws SetUpError when they are not there */
export async function loadAws<Package>(load: () => Promise<Package>): Promise<Package> {
  // They would print a warning about the versions of Node that they will support, past the log.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    // Two names: the built program requires, the source imports.
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') throw error
    const name = /'(@[^/']+\/[^/']+)/.exec(message)?.[1] ?? '@aws-sdk'
    throw new SetUpError(
      `the package ${name} is not installed: install runbook-agent anew, with its optional packages`,
    )
  }
}

/** Where the packages' warnings go. What else they would log may hold requests and answers. */
export function awsLogger(log: Pick<Logger, 'warn'>) {
  const nothing = () => undefined
  const warn = (...content: unknown[]) => log.warn({}, oneLine(content.map(String).join(' ')))
  return { trace: nothing, debug: nothing, info: nothing, warn, error: nothing }
}

/** Never resolves; rejects with the signal's reason. For a race with work that does not heed the signal. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    onAbort(signal, () => reject(signal.reason as Error))
  })
}
