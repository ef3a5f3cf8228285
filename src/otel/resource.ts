/** Says what the telemetry comes from: the service, its instance, the process. */
import { hostname } from "node:os";
import { getStringListFromEnv } from "@opentelemetry/core";
import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  osDetector,
  processDetector,
  type Resource,
  type ResourceDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
} from "@opentelemetry/resources";
import type { Settings } from "./options.ts";

const detectors: Readonly<Record<string, ResourceDetector>> = {
  host: hostDetector,
  os: osDetector,
  process: processDetector,
  serviceinstance: serviceInstanceIdDetector,
  env: envDetector,
};

/* Command lines hold inputs and secrets, the owner is a person, and the host's id takes a program to find out: only when they are asked
   for by `OTEL_NODE_RESOURCE_DETECTORS`. */
const usual: ReadonlySet<string> = new Set([
  "os.type",
  "os.version",
  "process.pid",
  "process.executable.name",
  "process.runtime.name",
  "process.runtime.version",
]);

const usualDetector: ResourceDetector = {
  detect: () => {
    const found = [osDetector, processDetector].flatMap((detector) => Object.entries(detector.detect().attributes ?? {}));
    return { attributes: { "host.name": hostname(), ...Object.fromEntries(found.filter(([key]) => usual.has(key))) } };
  },
};

function chosenDetectors(): readonly ResourceDetector[] {
  const names = getStringListFromEnv("OTEL_NODE_RESOURCE_DETECTORS");
  if (names === undefined || names.length === 0) return [usualDetector, envDetector];
  if (names.includes("none")) return [];
  return names.includes("all") ? Object.values(detectors) : names.flatMap((name) => detectors[name] ?? []);
}

/** Options win over variables by key, and those over what is detected; there is always an instance id. */
export function resourceOf({ serviceName, resource }: Pick<Settings, "serviceName" | "resource">): Resource {
  return defaultResource()
    .merge(detectResources({ detectors: [serviceInstanceIdDetector, ...chosenDetectors()] }))
    .merge(resourceFromAttributes({ ...resource, "service.name": serviceName }));
}
