/**
 * The exit code of a session or command that has no exit code of its own, because it never ran, was lost, or
 * could not be ended. hoop's gateway documents this number.
 */
export const NO_EXIT_CODE = 254
