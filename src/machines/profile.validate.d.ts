// Generated from profile.schema.json by src/build/validators.mjs.
import type { Schema } from "../schema.js";
import type { Profile } from "./profile.js";

export declare const validate: Schema<Profile>["validate"];
export declare const names: Schema<Profile>["names"];
