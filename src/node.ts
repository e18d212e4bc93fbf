/* Node's side of the core: files, the network where it is asked for, this computer, and what is described in files. */
export { nodeHost, onlineHost } from "./node-host.js";
export { detectHere } from "./node-machine.js";
export { InputError } from "./host.js";
export { readProfile } from "./machines/profile.js";
export { machinesFromNodes } from "./machines/kubernetes.js";
export { preset, presetNames } from "./machines/presets.js";
export { findConfig, readConfig, type Config } from "./config/config.js";
