// Generated from the files of this folder by src/build/generate.ts.
import type { Rule } from "../src/rule.js";
import backslashEscape from "./backslash-escape.js";
import contextBeyondTraining from "./context-beyond-training.js";
import contextForcesCpu from "./context-forces-cpu.js";
import defaultValue from "./default-value.js";
import deprecatedParameter from "./deprecated-parameter.js";
import doesNotFit from "./does-not-fit.js";
import doubleSpaceBeforeName from "./double-space-before-name.js";
import droppedCharacter from "./dropped-character.js";
import duplicateParameter from "./duplicate-parameter.js";
import encoding from "./encoding.js";
import equalsOrColon from "./equals-or-colon.js";
import fewerGpusCheaper from "./fewer-gpus-cheaper.js";
import fitsSingleGpu from "./fits-single-gpu.js";
import instructionTooNew from "./instruction-too-new.js";
import invalidModelName from "./invalid-model-name.js";
import invisibleBeforeInstruction from "./invisible-before-instruction.js";
import lineContinuation from "./line-continuation.js";
import messageRole from "./message-role.js";
import missingBlank from "./missing-blank.js";
import missingFrom from "./missing-from.js";
import missingValue from "./missing-value.js";
import mmapRequired from "./mmap-required.js";
import notFinite from "./not-finite.js";
import numGpuBeyondLayers from "./num-gpu-beyond-layers.js";
import numGpuDisablesFit from "./num-gpu-disables-fit.js";
import numGpuIsLayers from "./num-gpu-is-layers.js";
import parameterCase from "./parameter-case.js";
import parameterIsInstruction from "./parameter-is-instruction.js";
import parameterTooNew from "./parameter-too-new.js";
import parameterType from "./parameter-type.js";
import removedParameter from "./removed-parameter.js";
import requiresFormat from "./requires-format.js";
import rocmMmapSlowLoad from "./rocm-mmap-slow-load.js";
import shellLine from "./shell-line.js";
import singleQuotes from "./single-quotes.js";
import slowPaging from "./slow-paging.js";
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
  contextBeyondTraining,
  contextForcesCpu,
  defaultValue,
  deprecatedParameter,
  doesNotFit,
  doubleSpaceBeforeName,
  droppedCharacter,
  duplicateParameter,
  encoding,
  equalsOrColon,
  fewerGpusCheaper,
  fitsSingleGpu,
  instructionTooNew,
  invalidModelName,
  invisibleBeforeInstruction,
  lineContinuation,
  messageRole,
  missingBlank,
  missingFrom,
  missingValue,
  mmapRequired,
  notFinite,
  numGpuBeyondLayers,
  numGpuDisablesFit,
  numGpuIsLayers,
  parameterCase,
  parameterIsInstruction,
  parameterTooNew,
  parameterType,
  removedParameter,
  requiresFormat,
  rocmMmapSlowLoad,
  shellLine,
  singleQuotes,
  slowPaging,
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
