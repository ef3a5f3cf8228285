/** The entry point `spanloom/testing`: time, chance and spans under a test's control, and the tests that every store passes. */
export { checkpointerConformance } from "./testing/conformance/checkpointer-conformance.ts";
export { manualClock } from "./testing/manual-clock.ts";
export { seededRandom } from "./testing/random.ts";
export { recordSpans, type RecordedSpan } from "./testing/record-spans.ts";
