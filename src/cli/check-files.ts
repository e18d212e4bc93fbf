import "../compat.js";
import { checkFile, type Outcome } from "./check-file.js";
import type { Options } from "./options.js";

/** Files for a thread to check, one behind the other. */
export interface Batch {
  paths: readonly string[];
  /** The same object in all batches of a run would be better, but threads get copies. */
  values: Options;
}

/** The options of this thread's run: configurations and machines are looked up once for each object. */
let options: Options | undefined;

/** What a thread does; the results are in the order of the paths. */
export default async function checkFiles({ paths, values }: Batch): Promise<Outcome[]> {
  // What a lookup has to say to people was said in the main thread.
  options ??= { ...values, quiet: true };
  const outcomes: Outcome[] = [];
  for (const path of paths) outcomes.push(await checkFile(path, options));
  return outcomes;
}
