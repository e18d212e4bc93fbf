// Generated from the files of this folder by src/build/generate.ts.
import type { Rule } from "../src/rule.js";
import backslashEscape from "./backslash-escape.js";
import defaultValue from "./default-value.js";
import deprecatedParameter from "./deprecated-parameter.js";
import doubleSpaceBeforeName from "./double-space-before-name.js";
import droppedCharacter from "./dropped-character.js";
import duplicateParameter from "./duplicate-parameter.js";
import encoding from "./encoding.js";
import equalsOrColon from "./equals-or-colon.js";
import instructionTooNew from "./instruction-too-new.js";
import invalidModelName from "./invalid-model-name.js";
import invisibleBeforeInstruction from "./invisible-before-instruction.js";
import lineContinuation from "./line-continuation.js";
import messageRole from "./message-role.js";
import missingBlank from "./missing-blank.js";
import missingFrom from "./missing-from.js";
import missingValue from "./missing-value.js";
import notFinite from "./not-finite.js";
import parameterCase from "./parameter-case.js";
import parameterIsInstruction from "./parameter-is-instruction.js";
import parameterTooNew from "./parameter-too-new.js";
import parameterType from "./parameter-type.js";
import removedParameter from "./removed-parameter.js";
import requiresFormat from "./requires-format.js";
import shellLine from "./shell-line.js";
import singleQuotes from "./single-quotes.js";
import smartQuotes from "./smart-quotes.js";
import stopReplacesInherited from "./stop-replaces-inherited.js";
import strayText from "./stray-text.js";
import textAfterQuote from "./text-after-quote.js";
import trailingComment from "./trailing-comment.js";
import unclosedQuote from "./unclosed-quote.js";
import unknownInstruction from "./unknown-instruction.js";
import unknownParameter from "./unknown-parameter.js";

export const rules: readonly Rule[] = [
  backslashEscape,
  defaultValue,
  deprecatedParameter,
  doubleSpaceBeforeName,
  droppedCharacter,
  duplicateParameter,
  encoding,
  equalsOrColon,
  instructionTooNew,
  invalidModelName,
  invisibleBeforeInstruction,
  lineContinuation,
  messageRole,
  missingBlank,
  missingFrom,
  missingValue,
  notFinite,
  parameterCase,
  parameterIsInstruction,
  parameterTooNew,
  parameterType,
  removedParameter,
  requiresFormat,
  shellLine,
  singleQuotes,
  smartQuotes,
  stopReplacesInherited,
  strayText,
  textAfterQuote,
  trailingComment,
  unclosedQuote,
  unknownInstruction,
  unknownParameter,
];

export function ruleNamed(id: string): Rule | undefined {
  return rules.find((rule) => rule.id === id);
}
