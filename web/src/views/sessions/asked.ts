/**
 * Sessions that this tab has asked for and that wait for an approval. As `run` of the command line does, it runs them
 * when they are approved. After a reload somebody has to say so.
 */
export const asked = new Set<string>()
