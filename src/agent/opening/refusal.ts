import { EnvvarError, RuntimeFolderError } from '../../envvars/errors.ts'
import { TemplateError } from '../../golang/template/errors.ts'
import { LivenessError } from './liveness.ts'
import { RefusedError } from '../refused.ts'

/**
 * What an execution can be refused for, with a message for whoever asked for it. It may quote arguments, so the log has
 * the kind only.
 */
export function isRefusal(error: Error): boolean {
  return [RefusedError, LivenessError, EnvvarError, RuntimeFolderError, TemplateError].some(
    (kind) => error instanceof kind,
  )
}
