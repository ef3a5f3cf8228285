/** What sinks are shown of an event: payloads and error messages are left out unless they are wanted. */
import { type AnyEvent, type Interrupt, isRuntimeEvent, type RunnerEvent, type RuntimeEvent, type SerializedError } from "./event.ts";
import { withoutMessages } from "./serialize.ts";

export interface SinkViewOptions {
  /** Interrupts' payloads. Default false. */
  readonly payloads?: boolean | undefined;
  /** Default true; names and codes always. */
  readonly errorMessages?: boolean | undefined;
}

function withoutPayload({ payload: _payload, ...shown }: Interrupt): Interrupt {
  // What sinks get has no payload at all, though the type that subscribers share with them says that it is there.
  return Object.freeze(shown) as Interrupt;
}

function withoutPayloads(event: Extract<RuntimeEvent, { type: "invocation.paused" }>): AnyEvent {
  const interrupts = Object.freeze(event.data.interrupts.map(withoutPayload));
  return Object.freeze({ ...event, data: Object.freeze({ interrupts }) });
}

function withoutErrorMessages(event: Extract<RuntimeEvent | RunnerEvent, { data: { error: SerializedError } }>): AnyEvent {
  const data = Object.freeze({ ...event.data, error: withoutMessages(event.data.error) });
  // The union of events does not survive being spread: the type and its data still belong together.
  return Object.freeze({ ...event, data }) as AnyEvent;
}

/** Makes the function that gives an event as sinks may see it: itself where nothing is left out, else a frozen copy for all sinks. */
export function sinkView(options: SinkViewOptions): (event: AnyEvent) => AnyEvent {
  const { payloads = false, errorMessages = true } = options;
  return (event) => {
    if (!isRuntimeEvent(event)) return event;
    switch (event.type) {
      case "interrupt.requested":
        return payloads ? event : Object.freeze({ ...event, data: withoutPayload(event.data) });
      case "invocation.paused":
        return payloads ? event : withoutPayloads(event);
      case "invocation.failed":
      case "node.failed":
      case "node.retrying":
      case "checkpoint.failed":
      case "sink.failed":
        return errorMessages ? event : withoutErrorMessages(event);
      default:
        return event;
    }
  };
}
