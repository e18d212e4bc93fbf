import type { Connection } from "vscode-languageserver";
import { rules, ruleNamed } from "../../../rules/index.js";
import type { Host } from "../../../src/host.js";
import { configurations, type MachineSources } from "../../../src/lsp/configuration.js";
import { folderOf } from "../../../src/lsp/session.js";
import { readSettings } from "../../../src/lsp/settings.js";
import type { Addresses } from "../../../src/lsp/uri.js";
import { hardware } from "../../../src/machines/hardware.js";
import { formatBytes } from "../../../src/machines/sizes.js";
import { rulePage } from "../../../src/report/rule-page.js";
import {
  inForceRequest,
  machinesRequest,
  rulePageRequest,
  rulesRequest,
  type InForce,
  type InForceParams,
  type MachineChoice,
  type RuleChoice,
} from "./protocol.js";

/** Answers what the status bar and the commands of this extension ask. */
export function registerAnswers(
  connection: Connection,
  host: Host,
  addresses: Addresses,
  detect?: MachineSources["detect"],
): void {
  const problems: string[] = [];
  const sources = { note: () => {}, ...(detect && { detect }) };
  const known = configurations(host, sources, ({ message }) => problems.push(message));
  // One at a time: what cannot be used is told by the way.
  let before: Promise<unknown> = Promise.resolve();
  connection.onRequest(inForceRequest, (params: InForceParams): Promise<InForce> => {
    const answer = before.then(async () => {
      problems.length = 0;
      known.forget();
      const path = addresses.pathOf(params.uri);
      const folders = params.folders.map((uri) => ({ uri, name: "" }));
      const folder = folderOf({ folders, addresses }, path);
      const { settings } = readSettings(params.settings);
      const { setups, ignored, config } = await known.of(path, settings, folder).full;
      return {
        machines: unique(setups.flatMap(({ machine }) => machine?.name ?? [])),
        ollama: unique(setups.map(({ releases }) => releases.text)).join(", "),
        ignored,
        ...(config && { config: addresses.uriOf(config.path) }),
        ...(problems[0] !== undefined && { problem: problems[0] }),
      };
    });
    before = answer.catch(() => {});
    return answer;
  });
  connection.onRequest(machinesRequest, async (): Promise<MachineChoice[]> => {
    const { machines } = await hardware();
    const presets = machines.map(({ id, name, ram }) => ({
      name: id,
      description: `${name}, ${formatBytes(ram)} RAM`,
    }));
    return detect ? [{ name: "auto", description: "this computer" }, ...presets] : presets;
  });
  connection.onRequest(rulesRequest, (): RuleChoice[] =>
    rules.map(({ id, severity, summary }) => ({ id, severity, summary })),
  );
  connection.onRequest(rulePageRequest, (id: string): string | null => {
    const rule = ruleNamed(id);
    return rule ? rulePage(rule) : null;
  });
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
