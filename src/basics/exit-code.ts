/** For a session or command that never ran, was lost, or could not be ended, as hoop documents it. */
export const NO_EXIT_CODE = 254
