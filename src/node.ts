/* Node's side of the core: files, and what is described in them. */
export { nodeHost } from "./node-host.js";
export { InputError } from "./host.js";
export { readProfile } from "./machines/profile.js";
export { preset, presetNames } from "./machines/presets.js";
export { findConfig, readConfig, type Config } from "./config/config.js";
