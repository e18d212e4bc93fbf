// npm test: the tests, and beside them, one behind the other, the checks, most of which keep one core busy.
import { spawn } from "node:child_process";
import process from "node:process";

// As a file that Node runs: on Windows npm itself is none.
const { npm_execpath: script } = process.env;
const npm = script === undefined ? ["npm"] : [process.execPath, script];

/**
 * @param {string[]} args
 * @param {boolean} shown Whether what it prints is shown at once.
 * @returns {Promise<{ code: number | null, output: string }>} The exit code, and what was not shown.
 */
function run(args, shown) {
  return new Promise((resolve, reject) => {
    const [program, ...before] = npm;
    const stdio = shown ? "inherit" : ["ignore", "pipe", "pipe"];
    const child = spawn(program, [...before, ...args], { stdio });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => (output += text));
    }
    child.on("error", reject).on("close", (code) => resolve({ code, output }));
  });
}

/** What the checks that fail print. */
async function failedChecks() {
  const failed = [];
  for (const name of ["typecheck", "lint", "format:check", "generate:check"]) {
    const { code, output } = await run(["run", "--silent", name], false);
    if (code !== 0) failed.push(`npm run ${name} failed:\n${output}`);
  }
  return failed;
}

const tests = run(["exec", "--", "vitest", "run", ...process.argv.slice(2)], true);
const [{ code }, failed] = await Promise.all([tests, failedChecks()]);
// Only now: the tests' own report would be written over it.
console.log(failed.join("\n") || "Types, lint, format and generated files are right.");
process.exitCode = code === 0 && failed.length === 0 ? 0 : 1;
