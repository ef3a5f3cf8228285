/** The example of the README: a question is researched by two nodes at once, and answered until the answer is good enough. */
import { channel, createRunner, END, event, graph, jsonlSink, START } from "spanloom";
import { startTelemetry } from "spanloom/otel";
import { draft, type Source, searchPapers, searchWeb } from "./clients.ts";

const research = graph({
  name: "research",
  channels: {
    question: channel.value<string>(), // required input
    sources: channel.list<Source>(), // parallel nodes append; nothing is lost
    spent: channel.reduce(0, (total, tokens: number) => total + tokens),
    answer: channel.optional<{ text: string; confidence: "low" | "high" }>(),
  },
  events: { token: event<{ text: string }>() },
})
  .node("plan", ({ question }, { goto }) => (question === "" ? goto(END) : { spent: 12 }), { jumps: [END] })
  .node("web", async ({ question }, { signal }) => ({ sources: await searchWeb(question, signal) }), {
    retry: { attempts: 3 },
    timeout: "10s",
  })
  .node("papers", async ({ question }) => ({ sources: await searchPapers(question) }))
  .node("write", async ({ sources, answer }, { emit }) => {
    const next = await draft(sources, answer, (text) => emit("token", { text }));
    return { answer: next, spent: next.text.length };
  })
  .edge(START, "plan")
  .edge("plan", ["web", "papers"]) // fan-out: both run in the next superstep
  .edge(["web", "papers"], "write") // join: once, after both
  .branch("write", { revise: "plan", done: END }, ({ answer }) => (answer?.confidence === "high" ? "done" : "revise"))
  .compile();

const telemetry = startTelemetry({ serviceName: "research", file: "research.otlp.jsonl" }); // or a collector's `endpoint`
const runner = createRunner(research, { sinks: [jsonlSink("research.events.jsonl")] });

const run = runner.stream({ question: "Why is the sky blue?" });
for await (const happened of run) if (happened.type === "token") process.stdout.write(happened.data.text);
const { status, state } = await run.result;
console.log(`\n${status}: ${state.sources.length} sources, ${state.spent} tokens`);

await runner.close();
await telemetry.shutdown();
