/** Variables that the SDK reads only for parts that it makes by itself. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../../src/otel/connection.ts";
import { collectorUrl, exportersOf, metricTimes, protocolOf, queueSettings, tlsFiles } from "../../src/otel/environment.ts";
import { startTelemetry } from "../../src/otel.ts";
import { listenToComplaints, temporaryFolder } from "./support.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("variables", () => {
  it("say where a signal goes", () => {
    const complaints: string[] = [];
    const read = (value: string): readonly string[] => {
      vi.stubEnv("OTEL_TRACES_EXPORTER", value);
      return exportersOf("traces", (line) => complaints.push(line));
    };
    expect([read(""), read("otlp"), read("none"), read("otlp, console"), read("zipkin")]).toEqual([
      ["otlp"],
      ["otlp"],
      [],
      ["otlp", "console"],
      [],
    ]);
    expect(complaints).toHaveLength(1);
  });

  it("are replaced by defaults, and told, when they make no sense", () => {
    const complaints: string[] = [];
    const complain = (line: string): void => void complaints.push(line);
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "not/a/url?token=very-secret");
    vi.stubEnv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    vi.stubEnv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem");
    expect(collectorUrl("traces", undefined, complain).href).toBe("http://localhost:4318/v1/traces");
    expect(protocolOf("traces", complain)).toBe("http/protobuf");
    expect(tlsFiles("traces", complain)).toEqual({});
    expect(complaints).toHaveLength(3);
    expect(complaints.join()).not.toContain("very-secret");
  });

  it("bound queues and times; nonsense is passed over", () => {
    expect(queueSettings("traces")).toEqual({ capacity: 32_768, batchSize: 512, delay: 1000, giveUpAfter: Number.POSITIVE_INFINITY });
    vi.stubEnv("OTEL_BLRP_MAX_QUEUE_SIZE", "100");
    vi.stubEnv("OTEL_BLRP_SCHEDULE_DELAY", "-5");
    vi.stubEnv("OTEL_BLRP_EXPORT_TIMEOUT", "3000");
    expect(queueSettings("logs")).toEqual({ capacity: 100, batchSize: 100, delay: 1000, giveUpAfter: 3000 });
    expect(metricTimes(undefined)).toEqual({ interval: 60_000, giveUpAfter: 30_000 });
    vi.stubEnv("OTEL_METRIC_EXPORT_INTERVAL", "5000");
    expect(metricTimes(undefined)).toEqual({ interval: 5000, giveUpAfter: 5000 });
    expect(metricTimes(7000)).toEqual({ interval: 7000, giveUpAfter: 7000 });
  });

  it.each([
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "not/a/url"],
    ["OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem"],
  ])("that make no sense are told once, not for each signal: %s", async (name, value) => {
    vi.stubEnv(name, value);
    const complaints = listenToComplaints();
    await startTelemetry({ serviceName: "shop" }).shutdown();
    expect(complaints).toEqual([expect.stringContaining(name)]);
  });

  it("and options that ask for more time than a timer of Node takes get all that it takes: it would fire at once", () => {
    const month = 30 * 24 * 3600 * 1000;
    const longest = 2 ** 31 - 1;
    expect(metricTimes(month).interval).toBe(longest);
    for (const variable of ["OTEL_METRIC_EXPORT_INTERVAL", "OTEL_BSP_SCHEDULE_DELAY"]) vi.stubEnv(variable, String(month));
    expect(metricTimes(undefined).interval).toBe(longest);
    expect(queueSettings("traces").delay).toBe(longest);
  });

  it("name the certificates of a connection", async () => {
    const folder = temporaryFolder();
    for (const name of ["ca", "cert", "key"]) writeFileSync(join(folder, `${name}.pem`), name);
    vi.stubEnv("OTEL_EXPORTER_OTLP_CERTIFICATE", join(folder, "ca.pem"));
    vi.stubEnv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", join(folder, "ca.pem"));
    vi.stubEnv("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", join(folder, "cert.pem"));
    vi.stubEnv("OTEL_EXPORTER_OTLP_CLIENT_KEY", join(folder, "key.pem"));
    const files = tlsFiles("traces", (line) => expect.unreachable(line));
    expect(files).toEqual({ ca: Buffer.from("ca"), cert: Buffer.from("cert"), key: Buffer.from("key") });
    const agent = await new Connection(files).agent("https:");
    expect(agent).toMatchObject({ options: files });
    agent.destroy();
  });
});
