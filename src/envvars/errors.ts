/**
 * An environment that cannot be built. Ends in the session, which closes with 254 and this message, so the
 * message goes to the user: it names keys, folders and errno, never a value nor a part of one.
 */
export class EnvvarError extends Error {
  override readonly name = 'EnvvarError'
}

/** The agent's own folder for secret files cannot be used. The message says what to do about it. */
export class RuntimeFolderError extends Error {
  override readonly name = 'RuntimeFolderError'
}
