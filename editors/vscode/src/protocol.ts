/* What client and server of this extension say to each other besides the Language Server Protocol. */

/** InForceParams → InForce */
export const inForceRequest = "modelfile-lint/inForce";

/** → MachineChoice[] */
export const machinesRequest = "modelfile-lint/machines";

/** → RuleChoice[] */
export const rulesRequest = "modelfile-lint/rules";

/** A rule's id → its page in Markdown, or null */
export const rulePageRequest = "modelfile-lint/rulePage";

export interface InForceParams {
  uri: string;
  /** Addresses of the workspace's folders. */
  folders: string[];
  /** The section "modelfile-lint", as the editor has it for the document. */
  settings: unknown;
}

/** What a document is judged for. */
export interface InForce {
  /** Names; none where nothing says what computer will run the model. */
  machines: string[];
  /** "0.32.15", or a range. */
  ollama: string;
  /** The address of the configuration. */
  config?: string;
  /** A configuration leaves the document out. */
  ignored: boolean;
  /** Why a configuration or a machine cannot be used. */
  problem?: string;
}

export interface MachineChoice {
  /** As `modelfile-lint.machine` takes it. */
  name: string;
  description: string;
}

export interface RuleChoice {
  id: string;
  severity: string;
  summary: string;
}
