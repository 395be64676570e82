import { describe, expect, it } from 'vitest'
import { auditFacts, type AuditFacts } from '../../../../src/contract/audit-entry.ts'
import { AuditWords } from '../../../../src/contract/audit-words.ts'
import { AUDIT_VERBS } from '../../../../src/contract/contract.ts'
import { OPERATIONS } from '../../../../src/gateway/rest/resources.ts'

const words = new AuditWords(OPERATIONS)

const did = (request: string, more: Partial<AuditFacts> = {}) => {
  const [http_method = '', http_path = ''] = request.split(' ')
  return words.did(auditFacts({ action: 'view', resource_type: 'users', http_method, http_path, ...more }))
}

describe('the words of an audit entry', () => {
  it.each([
    ['GET /api/sessions', 'looked at sessions'],
    ['HEAD /api/sessions', 'looked at sessions'],
    ['GET /api/sessions/export', 'exported sessions'],
    ['GET /api/sessions/s-1', 'looked at a session'],
    ['GET /api/sessions/s-1/output', 'read the output of a session'],
    ['POST /api/users/groups', 'created a group'],
    ['DELETE /api/users/groups', 'deleted a user'],
    ['DELETE /api/tokens/t-1', 'revoked a token'],
    ['POST /api/plugins/runbooks/connections/pg%2F1/exec', 'ran a runbook'],
    ['POST /api/page/sign-out', 'signed out'],
  ])('are those of the route of %s', (request, expected) => {
    expect(did(request)).toBe(expected)
  })

  it.each([
    ['PUT /api/reviews/r', { status: 'APPROVED' }, 'approved a request'],
    ['PUT /api/sessions/s/review', { status: 'REJECTED' }, 'rejected a request'],
    ['PUT /api/reviews/r', { status: 'constructor' }, 'decided on a request'],
    ['PUT /api/reviews/r', { status: 7 }, 'decided on a request'],
    ['PUT /api/reviews/r', null, 'decided on a request'],
    ['PUT /api/users/ann', { status: 'inactive' }, 'deactivated a user'],
    ['PUT /api/users/ann', { groups: [] }, 'changed a user'],
  ])('of %s with %j are: %s', (request, body, expected) => {
    expect(did(request, { request_payload_redacted: body })).toBe(expected)
  })

  it.each([
    ['execute', 'sessions', { runbook: 'ops/a.runbook.sh', verb: 'exec' }, 'ran a runbook'],
    ['execute', 'sessions', { verb: 'exec' }, 'ran a script'],
    ['execute', 'sessions', { verb: 'exec', waits_for_approval: true }, 'asked to run a script'],
    ['execute', 'sessions', { verb: 'connect' }, 'opened a terminal'],
    ['execute', 'sessions', null, 'ran a script'],
    ['run', 'sessions', null, 'ran an approved request'],
    ['start', 'gateway', null, 'started the gateway'],
    ['update', 'user_groups', null, 'changed user groups'],
  ] as const)('of %s %s without a request, with %j, are: %s', (action, type, body, expected) => {
    const facts = { action, resource_type: type, request_payload_redacted: body }
    expect(words.did(auditFacts(facts))).toBe(expected)
  })

  it('tell apart what was done, what was tried, and what has only begun', () => {
    const request = 'DELETE /api/tokens/t-1'
    expect(did(request, { outcome: false })).toBe('tried to revoke a token')
    expect(did(request, { stage: 'asked' })).toBe('began to revoke a token')
    expect(did('POST /api/localauth/login', { outcome: false })).toBe('tried to sign in')
    expect(did('GET /api/sessions', { outcome: false })).toBe('tried to look at sessions')
  })

  it('are of a route, of which each name is known, also if its path was cut within an escape', () => {
    const route = (http_path: string) => words.route({ http_method: 'GET', http_path })?.params
    expect(route('/api/access/ann%40x/pg%201')).toEqual({ name: 'ann@x', connection: 'pg 1' })
    expect(route('/api/sessions/a%2')).toEqual({ id: 'a%2' })
    expect(route('/api/no-such-route')).toBeUndefined()
  })

  it('have an infinitive for each verb that a route has', () => {
    const verbs = Object.values(OPERATIONS).flatMap(({ audit }) => {
      if (audit === 'none') return []
      const { verb } = audit
      return typeof verb === 'string' ? [verb] : [...Object.values(verb.values), verb.otherwise]
    })
    expect(verbs.length).toBeGreaterThan(50)
    const past = Object.keys(AUDIT_VERBS)
    expect(verbs.filter((verb) => !past.some((one) => verb === one || verb.startsWith(`${one} `)))).toEqual(
      [],
    )
  })
})
