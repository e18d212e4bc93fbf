import process from "node:process";
import { oneLine } from "../report/terminal.js";

/** A line for people, on standard error; names of files and their contents cannot steer the terminal. */
export function tell(text: string): void {
  process.stderr.write(`modelfile-lint: ${oneLine(text)}\n`);
}
