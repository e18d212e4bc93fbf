import { inEmacs } from "./editor.js";

export const name = "Emacs with Eglot";
export const needs = ["emacs"];

export const test = () => inEmacs("eglot");
