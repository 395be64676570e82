import * as answers from '../openapi/answers.ts'
import type { OperationTable } from '../../../contract/operation.ts'

export const backupOperations: OperationTable = {
  'POST /api/backup': {
    tag: 'Gateway',
    summary: 'Makes a backup of the state folder and sends it',
    description:
      'One at a time. It holds scripts, output, and the key of requests that wait for approval, which a machine does not get: its backup loses these requests. The answer begins when the copy is made.',
    role: 'admin',
    tokenOnly: true,
    audit: { action: 'download', type: 'backups' },
    answers: { 200: answers.fileAnswer },
    errors: [429, 500],
    type: 'application/gzip',
  },
}
