import type { Modelfile } from "../../grammar/tree.js";
import type { Finding } from "../finding.js";
import type { Context } from "../rule.js";

/**
 * A Modelfile as somebody who edits it sees it, with all that is known of it so far. What editors show is
 * made of this alone, by functions that know offsets (UTF-16 units, as in JavaScript's texts) and no protocol.
 */
export interface View {
  file: Modelfile;
  /**
   * What is known besides, for each machine that the file is judged on, the first one first; of a range of
   * releases, for the newest. Model and plan are missing until they are looked up, or for good.
   */
  contexts: readonly [Context, ...Context[]];
  /** In the order of the text. */
  findings: readonly Finding[];
}
