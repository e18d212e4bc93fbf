import type { Host } from "../host.js";

/** A host as it is for those who have not asked for the network. */
export function offlineHost(host: Host): Host {
  const { kept } = host;
  return {
    resolve: (folder, path) => host.resolve(folder, path),
    stat: (path) => host.stat(path),
    read: (path, start, end) => host.read(path, start, end),
    list: (folder) => host.list(folder),
    variable: (name) => host.variable(name),
    ...(kept && { kept }),
  };
}
