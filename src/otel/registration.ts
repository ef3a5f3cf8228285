/** Makes the SDK the process's own, and takes away again what was put there, never what somebody else did. */
import { context, createContextKey, logs, metrics, propagation, ProxyTracerProvider, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { NodeSDK, type NodeSDKConfiguration } from "@opentelemetry/sdk-node";

const probeKey = createContextKey("spanloom.probe");

function hasContextManager(): boolean {
  const probe = ROOT_CONTEXT.setValue(probeKey, true);
  return context.with(probe, () => context.active() === probe);
}

function tracerProvider(): unknown {
  const provider = trace.getTracerProvider();
  return provider instanceof ProxyTracerProvider ? provider.getDelegate() : provider;
}

interface Place {
  readonly current: () => unknown;
  readonly clear: () => void;
}

const providers: readonly Place[] = [
  { current: tracerProvider, clear: () => trace.disable() },
  { current: () => metrics.getMeterProvider(), clear: () => metrics.disable() },
  { current: () => logs.getLoggerProvider(), clear: () => logs.disable() },
];

/** Starts the SDK. The function that it returns ends it and frees its places, for another one. `taken` tells that an SDK was there before. */
export function register(configuration: Partial<NodeSDKConfiguration>): {
  readonly taken: boolean;
  readonly unregister: () => Promise<void>;
} {
  const before = providers.map(({ current }) => current());
  const hadContextManager = hasContextManager();
  const hadPropagator = propagation.fields().length > 0;
  const sdk = new NodeSDK(configuration);
  sdk.start();
  const after = providers.map(({ current }) => current());
  const isOurs = (index: number): boolean => after[index] !== before[index];
  const unregister = async (): Promise<void> => {
    await sdk.shutdown().catch(() => undefined);
    for (const [index, { current, clear }] of providers.entries()) if (isOurs(index) && current() === after[index]) clear();
    if (!hadContextManager) context.disable();
    if (!hadPropagator) propagation.disable();
  };
  return { taken: (configuration.spanProcessors?.length ?? 0) > 0 && !isOurs(0), unregister };
}
