import { inEmacs } from "./editor.js";

export const name = "Emacs with lsp-mode";
export const needs = ["emacs"];

export const test = () => inEmacs("lsp-mode");
