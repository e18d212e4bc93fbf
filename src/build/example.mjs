// npm run example: the main job on an example, as a user would run it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./bundle.mjs";

const example = "examples/larger-than-ram/Modelfile";
const cli = join(root, "dist/cli.js");
if (!existsSync(cli)) await import("./build.mjs");

function run(...args) {
  console.log(`$ modelfile-lint ${args.join(" ")}`);
  const { status } = spawnSync(process.execPath, [cli, ...args], { cwd: root, stdio: "inherit" });
  console.log(`(exit code ${status})\n`);
  return status;
}

const found = run(example, "--diff");
const planned = run("plan", example);
// The example has an error to find, and a plan that fails; anything else is a defect of ours.
if (found !== 1 || planned !== 1) process.exitCode = 1;
