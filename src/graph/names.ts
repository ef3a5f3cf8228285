/** The virtual nodes, and the names that are taken. */

/** Where a graph is entered: edges and branches lead out of it. */
export const START = "start";
/** Where it is left: edges, branches and commands lead to it. */
export const END = "end";
export type Start = typeof START;
export type End = typeof END;

/** The built-in channel of error records. */
export const errorsChannel = "errors";
