/** The key of a message from a thread about an error that came when its task had returned. */
export const STRAY = "skein:piscina:stray";
