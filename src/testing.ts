/** The entry point `spanloom/testing`: time, chance and spans under a test's control. */
export { manualClock } from "./testing/manual-clock.ts";
export { seededRandom } from "./testing/random.ts";
export { recordSpans, type RecordedSpan } from "./testing/record-spans.ts";
