import type { FastifyInstance } from 'fastify'
import type { ScheduleSettings } from '../../../settings/schedules.ts'
import type { GatewayUser } from '../../../people/identities/identity.ts'
import { HttpError } from '../../http/http-error.ts'
import type { RestServices } from '../../services.ts'
import { runView, scheduleView, type ScheduleViewing } from './schedule-view.ts'

interface ByName {
  readonly Params: { readonly name: string }
}

/** What one schedule shows of its runs. */
const SHOWN_RUNS = 100

/** Runbooks that run by themselves. They stand in gateway.yaml, so nothing here changes one. */
export function scheduleRoutes(app: FastifyInstance, services: RestServices): void {
  const { schedules } = services

  app.get('/api/schedules', ({ user }) => {
    const visible = schedules.all.filter((schedule) => isVisible(services, user, schedule))
    return Promise.all(visible.map((schedule) => scheduleView(services, schedule)))
  })

  app.get<ByName>('/api/schedules/:name', ({ user, params }) =>
    detailedView(services, found(services, user, params.name)),
  )

  app.post<ByName>('/api/schedules/:name/run', async ({ user, params }) => {
    const schedule = changeable(services, user, params.name)
    return runView(services, await schedules.runNow(schedule, user.name))
  })

  for (const [action, isPaused] of [
    ['pause', true],
    ['resume', false],
  ] as const)
    app.post<ByName>(`/api/schedules/:name/${action}`, ({ user, params }) => {
      const schedule = changeable(services, user, params.name)
      schedules.pause(schedule, isPaused ? user.name : null)
      services.log.info({ schedule: schedule.name, user: user.name }, `schedule: ${action}d by hand`)
      return detailedView(services, schedule)
    })
}

async function detailedView(services: ScheduleViewing, schedule: ScheduleSettings): Promise<object> {
  const runs = services.schedules.runs(schedule.name, SHOWN_RUNS)
  return { ...(await scheduleView(services, schedule)), runs: runs.map((run) => runView(services, run)) }
}

/** Those of one's connections, and those that run as oneself; admins and auditors see all. */
function isVisible(
  { users }: RestServices,
  user: GatewayUser,
  { connection, as }: ScheduleSettings,
): boolean {
  return users.seesAll(user) || as === user.name || users.connection(user, connection) !== undefined
}

/** @throws HttpError 404 */
function found(services: RestServices, user: GatewayUser, name: string): ScheduleSettings {
  const schedule = services.schedules.all.find((one) => one.name === name)
  if (schedule === undefined || !isVisible(services, user, schedule))
    throw new HttpError('schedule-not-found', `there is no schedule ${name}`)
  return schedule
}

/** For admins, and for the user as whom it runs. @throws HttpError 404, 403 */
function changeable(services: RestServices, user: GatewayUser, name: string): ScheduleSettings {
  const schedule = found(services, user, name)
  if (services.users.isAdmin(user) || schedule.as === user.name) return schedule
  throw new HttpError('not-permitted', `schedule ${name} is for admins, and for the user as whom it runs`)
}
