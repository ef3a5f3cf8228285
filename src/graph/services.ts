/** Declares what nodes get from outside, never stored: clients, the current user, settings. */
export interface ServicesType<Services> {
  readonly "~services"?: Services;
}

/** The services that a runner or an invocation of the graph must be given. */
export function services<Services extends object>(): ServicesType<Services> {
  return {};
}
