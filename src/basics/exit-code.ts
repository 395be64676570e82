/**
 * The exit code of a session or command without one: it never ran, was lost, or could not be ended.
 * hoop's gateway documents this number.
 */
export const NO_EXIT_CODE = 254
