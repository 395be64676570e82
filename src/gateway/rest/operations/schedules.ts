import * as v from 'valibot'
import * as answers from '../openapi/schedule-answers.ts'
import type { OperationTable } from './operation.ts'

const CHANGE = { tag: 'Schedules', role: 'standard', scope: 'end' } as const

export const scheduleOperations: OperationTable = {
  'GET /api/schedules': {
    tag: 'Schedules',
    summary: 'Lists what runs by itself, with its next and its last run',
    role: 'user',
    scope: 'scheduled',
    audit: 'none',
    answers: { 200: v.array(answers.listedScheduleAnswer) },
    errors: [500],
  },
  'GET /api/schedules/:name': {
    tag: 'Schedules',
    summary: 'Shows a schedule and its last hundred runs, also why one was skipped',
    role: 'user',
    scope: 'scheduled',
    audit: 'none',
    answers: { 200: answers.scheduleAnswer },
    errors: [404, 500],
  },
  'POST /api/schedules/:name/run': {
    ...CHANGE,
    audit: { action: 'execute', type: 'schedules' },
    summary: 'Runs it now: answers when its session has begun, or could not',
    answers: { 200: answers.scheduleRunAnswer },
    errors: [403, 404, 409, 500],
  },
  'POST /api/schedules/:name/pause': {
    ...CHANGE,
    audit: { action: 'update', type: 'schedules' },
    summary: 'Lets it not run by itself; what is due meanwhile is left out',
    answers: { 200: answers.scheduleAnswer },
    errors: [403, 404, 500],
  },
  'POST /api/schedules/:name/resume': {
    ...CHANGE,
    audit: { action: 'update', type: 'schedules' },
    summary: 'Lets it run by itself again',
    answers: { 200: answers.scheduleAnswer },
    errors: [403, 404, 500],
  },
  'GET /api/locks': {
    tag: 'Schedules',
    summary: 'Lists the locks of gateway.yaml: who has them, and who waits',
    role: 'user',
    scope: 'connection',
    audit: 'none',
    answers: { 200: v.array(answers.lockAnswer) },
  },
}
