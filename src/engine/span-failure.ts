/** What a span says of what finally failed. */
import type { CodeOf } from "../errors/catalogue.ts";
import { SpanloomError } from "../errors/errors.ts";
import { serializeError } from "../events/serialize.ts";
import type { SpanFailure } from "../telemetry/instrumentation.ts";

/** On a node's span: the type is the error's name. */
export function spanFailure(error: unknown): SpanFailure {
  const { name, message, code } = serializeError(error);
  return { type: name, message, code };
}

/** On all others: the type is our code; for an error that is not ours, the given one. */
export function phaseFailure(error: unknown, otherwise?: CodeOf<"runner">): SpanFailure {
  const { name, message, code } = serializeError(error);
  if (SpanloomError.is(error)) return { type: error.code, message, code: error.code };
  return { type: otherwise ?? name, message, code: code ?? otherwise };
}
