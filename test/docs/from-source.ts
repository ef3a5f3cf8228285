/** Preloaded by `node --import`: "spanloom" is the source here, not the build. */
import { registerHooks } from "node:module";

const source = (specifier: string): string => {
  const entry = specifier === "spanloom" ? "index" : specifier.slice("spanloom/".length);
  return new URL(`../../src/${entry}.ts`, import.meta.url).href;
};

registerHooks({
  resolve: (specifier, context, next) => next(/^spanloom(\/|$)/.test(specifier) ? source(specifier) : specifier, context),
});
