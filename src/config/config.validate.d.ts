// Generated from config.schema.json by src/build/validators.mjs.
import type { Schema } from "../schema.js";
import type { Written } from "./config.js";

export declare const validate: Schema<Written>["validate"];
export declare const names: Schema<Written>["names"];
