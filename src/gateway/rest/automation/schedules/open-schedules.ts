import { Schedules } from '../../../schedules/schedules.ts'
import type { CurrentSettings } from '../../../settings/current-settings.ts'
import { ScheduleProblems } from '../../../schedules/schedule-problems.ts'
import type { RestServices } from '../../services.ts'
import {
  runApprovedSchedule,
  scheduleProblem,
  startScheduled,
  type ScheduledServices,
} from './scheduled-run.ts'

/** Schedules whose runs begin as those of their users do by REST. Close them before the sessions. */
export function openSchedules(
  services: ScheduledServices & Pick<RestServices, 'history' | 'log'>,
  current: CurrentSettings,
): Pick<RestServices, 'schedules' | 'scheduleProblems'> {
  const { history, log } = services
  const schedules = new Schedules({
    ...{ history, current, log },
    start: (schedule, run) => startScheduled(services, schedule, run),
    runApproved: (schedule, sid) => runApprovedSchedule(services, schedule, sid),
  })
  return {
    schedules,
    scheduleProblems: new ScheduleProblems((schedule) => scheduleProblem(services, schedule)),
  }
}
