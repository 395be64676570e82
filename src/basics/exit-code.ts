/**
 * The exit code of a session or a command that has none of its own: it never ran, was lost, or could not be ended.
 * hoop's gateway documents this number.
 */
export const NO_EXIT_CODE = 254
