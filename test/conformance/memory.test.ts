/** The memory store passes the conformance suite. */
import { describe, expect, it } from "vitest";
import { memoryCheckpointer } from "spanloom";
import { checkpointerConformance } from "spanloom/testing";

checkpointerConformance("the memory store", { open: async () => memoryCheckpointer() }, { describe, expect, it });
