/** What is stored of a session that appends a hundred bytes at each superstep, beside what it stores when it appends nothing. */
import type { Peer } from "../harness/peer.ts";
import type { Subjects } from "../harness/row.ts";
import { fileBytes, openScratch } from "../harness/scratch.ts";
import { openStore, recordBytes, type OpenStore } from "../harness/store.ts";
import { median } from "../harness/statistics.ts";
import { type Item, itemOf, openLog } from "./log.ts";

const steps = 10_000;
/* What it stores grows with the square of their number: 10 000 would be five gigabytes. */
const peerSteps = 1000;

type Appended = (turn: number) => readonly Item[];

const oneItem: Appended = (turn) => [itemOf(turn)];
const noItem: Appended = () => [];
const itemBytes = Buffer.byteLength(JSON.stringify(itemOf(1)));

/** Looks at a file that holds one session of `steps` supersteps, and nothing else. */
async function stored<T>(of: Appended, look: (store: OpenStore) => T): Promise<T> {
  const store = openStore();
  const log = openLog(store.checkpointer);
  try {
    await log.run("session", steps, of);
    return look(store);
  } finally {
    await log.close();
    await store.close();
  }
}

const fileOf = (store: OpenStore): number => store.fileBytes();

async function peerStored(peer: Peer, of: Appended): Promise<number> {
  const scratch = openScratch();
  const path = scratch.path("peer.db");
  const theirs = peer.openDurable(path);
  try {
    await theirs.append(
      "session",
      Array.from({ length: peerSteps }, (_, turn) => of(turn)),
    );
    return fileBytes(path);
  } finally {
    theirs.close();
    scratch.remove();
  }
}

/** Bytes of the file for each step that appends nothing: the constant. */
export async function openConstant(peer: Peer | undefined): Promise<Subjects> {
  return {
    measured: async () => (await stored(noItem, fileOf)) / steps,
    ...(peer && { peer: async () => (await peerStored(peer, noItem)) / peerSteps }),
  };
}

/** Bytes of the file for each step beside the constant. The floor is the bytes appended. */
export async function openFileBytes(peer: Peer | undefined): Promise<Subjects> {
  return {
    measured: async () => ((await stored(oneItem, fileOf)) - (await stored(noItem, fileOf))) / steps,
    floor: () => Promise.resolve(itemBytes),
    ...(peer && { peer: async () => ((await peerStored(peer, oneItem)) - (await peerStored(peer, noItem))) / peerSteps }),
  };
}

/* A snapshot that has just been written is at its dearest: the number of steps decides, and the worst is taken. */
function worstBytes(store: OpenStore): number {
  const records = store.look(recordBytes);
  const constant = median(records) - itemBytes;
  let [sum, worst] = [0, 0];
  records.forEach((bytes, step) => {
    sum += bytes - constant;
    if (step >= steps / 10) worst = Math.max(worst, sum / step);
  });
  return worst;
}

/** Bytes of the columns for each step beside those that a record has without its item, after the worst number of steps. */
export async function openWorstBytes(): Promise<Subjects> {
  return { measured: () => stored(oneItem, worstBytes), floor: () => Promise.resolve(itemBytes) };
}
