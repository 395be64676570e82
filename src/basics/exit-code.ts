/**
 * Exit code of a session or command that never ran, was lost, or could not be ended. hoop documents this
 * code.
 */
export const NO_EXIT_CODE = 254
