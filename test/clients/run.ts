// Tries modelfile-lint with the programs that it works with, one after another:
//   npm run test:clients -- [--all] [NAME…]
// What a client needs and does not find is told, and is a failure with --all or where CI is set.
import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { bundle, root } from "../../src/build/bundle.mjs";
import { isInstalled, programsOf, type Client } from "./client.js";

interface Result {
  name: string;
  seconds: number;
  outcome: "passed" | "failed" | "skipped";
  note: string;
}

/** Longer than the slowest one, which installs everything, takes on a slow computer. */
const limit = 15 * 60_000;

const ending = ".client.ts";

async function load(file: string): Promise<Client> {
  const folder = join(root, "node_modules/.cache/modelfile-lint/clients");
  await mkdir(folder, { recursive: true });
  const outfile = join(folder, file.replace(/\.ts$/, ".mjs"));
  const options = { packages: "external", alias: {}, sourcemap: "inline" } as const;
  await bundle({ entryPoints: [`test/clients/${file}`], outfile, ...options });
  return (await import(pathToFileURL(outfile).href)) as Client;
}

/** What a client needs and does not find; undefined where nothing is missing. */
function missingFor({ needs, packages = [] }: Client): string | undefined {
  const programs = needs.filter((program) => programsOf(program).length === 0);
  const absent = packages.filter((name) => !isInstalled(name));
  if (programs.length > 0) return `${programs.join(", ")} not on PATH`;
  if (absent.length > 0) return `no ${absent.join(", ")}: npm ci --prefix test/clients`;
  return undefined;
}

async function result(file: string, missingFails: boolean): Promise<Result> {
  const started = performance.now();
  let name = file.slice(0, -ending.length);
  const ended = (outcome: Result["outcome"], note: string): Result => ({
    name,
    seconds: (performance.now() - started) / 1000,
    outcome,
    note,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const client = await load(file);
    ({ name } = client);
    const missing = missingFor(client);
    if (missing !== undefined) return ended(missingFails ? "failed" : "skipped", missing);
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`still running after ${limit / 60_000} min`)),
        limit,
      );
    });
    return ended("passed", (await Promise.race([client.test(), late])) ?? "");
  } catch (error) {
    return ended("failed", error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    clearTimeout(timer);
  }
}

function print(results: readonly Result[]): void {
  const width = Math.max(...results.map(({ name }) => name.length));
  for (const { name, seconds, outcome, note } of results) {
    const row = `${name.padEnd(width)} ${seconds.toFixed(1).padStart(7)} s  ${outcome.padEnd(7)}`;
    // What failed has been printed already.
    console.log(`${row} ${outcome === "failed" ? note.split("\n")[0] : note}`.trimEnd());
  }
}

const { values, positionals } = parseArgs({
  options: { all: { type: "boolean" } },
  allowPositionals: true,
});
const missingFails = values.all ?? !["", "0", "false"].includes(process.env["CI"] ?? "");
if (!existsSync(join(root, "dist/cli.js"))) {
  throw new Error("There is no dist/. Run npm run build first.");
}
const files = (await readdir(join(root, "test/clients"))).filter((name) => name.endsWith(ending));
const chosen = files
  .filter((file) => positionals.length === 0 || positionals.includes(file.slice(0, -ending.length)))
  .sort();
if (chosen.length === 0) throw new Error(`No client test is called ${positionals.join(", ")}.`);
const results: Result[] = [];
for (const file of chosen) {
  const one = await result(file, missingFails);
  if (one.outcome === "failed") console.error(`${one.name}:\n${one.note}\n`);
  results.push(one);
}
print(results);
// A client that came too late may still hold the process.
process.exit(results.some(({ outcome }) => outcome === "failed") ? 1 : 0);
