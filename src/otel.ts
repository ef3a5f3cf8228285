/** Entry point `spanloom/otel`: sets up the OpenTelemetry SDK. Nothing else in the package loads it. */
export { startTelemetry, type Telemetry } from "./otel/start.ts";
export type { TelemetryOptions } from "./otel/options.ts";
