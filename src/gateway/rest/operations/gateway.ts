import * as answers from '../openapi/gateway-answers.ts'
import { userAnswer } from '../openapi/identity-answers.ts'
import type { OperationTable } from '../../../contract/operation.ts'

export const gatewayOperations: OperationTable = {
  'GET /api/openapiv3.json': {
    tag: 'Gateway',
    summary: 'Describes the interface, as /docs/json does',
    role: 'public',
    audit: 'none',
    answers: { 200: answers.documentAnswer },
  },
  'GET /api/serverinfo': {
    tag: 'Gateway',
    summary: 'Version and addresses of the gateway',
    role: 'user',
    audit: 'none',
    answers: { 200: answers.serverAnswer },
  },
  'GET /api/userinfo': {
    tag: 'Gateway',
    summary: 'Who asks',
    role: 'user',
    audit: 'none',
    answers: { 200: userAnswer },
  },
  'GET /api/publicserverinfo': {
    tag: 'Gateway',
    summary: 'How one signs in',
    role: 'public',
    audit: 'none',
    answers: { 200: answers.publicServerAnswer },
  },
  'POST /api/reload': {
    tag: 'Gateway',
    summary: 'Reads gateway.yaml again, and tells what has changed',
    description:
      'With a file that cannot be used (422) everything stays as it was: the message has each problem.',
    role: 'admin',
    audit: { action: 'update', type: 'settings' },
    answers: { 200: answers.reloadAnswer },
    errors: [422],
  },
  'GET /api/healthz': {
    tag: 'Gateway',
    summary: 'Whether the gateway lives',
    role: 'public',
    audit: 'none',
    answers: { 200: answers.livenessAnswer },
  },
  'GET /readyz': {
    tag: 'Gateway',
    summary: 'Whether sessions can begin',
    role: 'public',
    audit: 'none',
    answers: { 200: answers.readinessAnswer, 503: answers.readinessAnswer },
  },
}
