/** A context that adds one value to another: it holds no copy of what it adds to, so that a span's costs next to nothing. */
import { type Context, INVALID_SPAN_CONTEXT, type Span, trace } from "@opentelemetry/api";

class LinkedContext implements Context {
  readonly #outer: Context;
  readonly #key: symbol;
  readonly #value: unknown;

  constructor(outer: Context, key: symbol, value: unknown) {
    this.#outer = outer;
    this.#key = key;
    this.#value = value;
  }

  getValue(key: symbol): unknown {
    return key === this.#key ? this.#value : this.#outer.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new LinkedContext(this, key, value);
  }

  deleteValue(key: symbol): Context {
    return new LinkedContext(this, key, undefined);
  }
}

/** The key that the API keeps the active span under, which it tells nobody. */
function findSpanKey(): symbol | undefined {
  let found: symbol | undefined;
  const probe: Context = {
    getValue: () => undefined,
    setValue: (key) => {
      found = key;
      return probe;
    },
    deleteValue: () => probe,
  };
  trace.setSpan(probe, trace.wrapSpanContext(INVALID_SPAN_CONTEXT));
  return found;
}

const spanKey = findSpanKey();

/** The same as `trace.setSpan`. */
export function withSpan(outer: Context, span: Span): Context {
  return spanKey === undefined ? trace.setSpan(outer, span) : new LinkedContext(outer, spanKey, span);
}
