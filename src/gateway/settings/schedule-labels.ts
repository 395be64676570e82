// Labels of sessions that schedules have begun. Only the gateway can set labels that begin so.

/** The schedule's name. */
export const SCHEDULE_LABEL = 'runbookSchedule'
/** When it was due; left out where somebody has asked for it. */
export const DUE_LABEL = 'runbookDueAt'
