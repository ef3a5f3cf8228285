/** Stands in for the clients of a search engine, a library and a model: the same every time, and without a network. */

export interface Source {
  readonly title: string;
  readonly url: string;
}

const found = (kind: string, question: string): readonly Source[] => [
  { title: `${question} (${kind})`, url: `https://example.org/${kind}?q=${encodeURIComponent(question)}` },
];

export function searchWeb(question: string, signal: AbortSignal): Promise<readonly Source[]> {
  signal.throwIfAborted();
  return Promise.resolve(found("web", question));
}

export function searchPapers(question: string): Promise<readonly Source[]> {
  return Promise.resolve(found("papers", question));
}

interface Answer {
  readonly text: string;
  readonly confidence: "low" | "high";
}

/** The first draft is not sure of itself; the next one, with more sources, is. */
export async function draft(sources: readonly Source[], before: Answer | undefined, write: (text: string) => void): Promise<Answer> {
  const words = ["Sunlight", " scatters", " off", " air,", " blue", " most", " of", " all.", ` [${sources.length} sources]\n`];
  for (const word of words) {
    await Promise.resolve();
    write(word);
  }
  return { text: words.join(""), confidence: before === undefined ? "low" : "high" };
}
