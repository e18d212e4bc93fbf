// Generated from the files of this folder by src/build/generate.ts.
import type { Rule } from "../src/rule.js";
import absolutePath from "./absolute-path.js";
import adapterBaseMismatch from "./adapter-base-mismatch.js";
import adapterFolderUnreadable from "./adapter-folder-unreadable.js";
import adapterUnsupported from "./adapter-unsupported.js";
import backslashEscape from "./backslash-escape.js";
import backslashPath from "./backslash-path.js";
import batchMemory from "./batch-memory.js";
import bidiText from "./bidi-text.js";
import blobPath from "./blob-path.js";
import carriageReturnInValue from "./carriage-return-in-value.js";
import cloudModelFiles from "./cloud-model-files.js";
import cloudModelParameters from "./cloud-model-parameters.js";
import commentContradictsValue from "./comment-contradicts-value.js";
import contextBeyondTraining from "./context-beyond-training.js";
import contextForcesCpu from "./context-forces-cpu.js";
import contextTimesParallel from "./context-times-parallel.js";
import contextTooSmall from "./context-too-small.js";
import contextUnset from "./context-unset.js";
import cpuOnly from "./cpu-only.js";
import defaultValue from "./default-value.js";
import deprecatedParameter from "./deprecated-parameter.js";
import doesNotFit from "./does-not-fit.js";
import doubleSpaceBeforeName from "./double-space-before-name.js";
import draftEqualsModel from "./draft-equals-model.js";
import draftMemory from "./draft-memory.js";
import draftParameterAlone from "./draft-parameter-alone.js";
import draftVocabulary from "./draft-vocabulary.js";
import droppedCharacter from "./dropped-character.js";
import duplicateInstruction from "./duplicate-instruction.js";
import duplicateParameter from "./duplicate-parameter.js";
import embeddingModelPrompt from "./embedding-model-prompt.js";
import emptySystem from "./empty-system.js";
import encoding from "./encoding.js";
import equalsOrColon from "./equals-or-colon.js";
import estimatePessimistic from "./estimate-pessimistic.js";
import fewerGpusCheaper from "./fewer-gpus-cheaper.js";
import fitsSingleGpu from "./fits-single-gpu.js";
import folderOfLinks from "./folder-of-links.js";
import folderPrefersSafetensors from "./folder-prefers-safetensors.js";
import fromNotFirst from "./from-not-first.js";
import fullPrecisionWeights from "./full-precision-weights.js";
import gemmaAssistantRole from "./gemma-assistant-role.js";
import generatedHeader from "./generated-header.js";
import gitLfsPointer from "./git-lfs-pointer.js";
import gpuBelowMinimum from "./gpu-below-minimum.js";
import gpuOverheadIgnored from "./gpu-overhead-ignored.js";
import groupedParameters from "./grouped-parameters.js";
import insecureRegistry from "./insecure-registry.js";
import instructionCase from "./instruction-case.js";
import instructionRemoved from "./instruction-removed.js";
import instructionTooNew from "./instruction-too-new.js";
import invalidModelName from "./invalid-model-name.js";
import invisibleBeforeInstruction from "./invisible-before-instruction.js";
import jinjaTemplate from "./jinja-template.js";
import jsonBesideGguf from "./json-beside-gguf.js";
import keepBeyondContext from "./keep-beyond-context.js";
import kvCacheTypeIgnored from "./kv-cache-type-ignored.js";
import lastLayerOnCpu from "./last-layer-on-cpu.js";
import licenseLost from "./license-lost.js";
import lineContinuation from "./line-continuation.js";
import mainGpuDisablesSplit from "./main-gpu-disables-split.js";
import malformedSpecialToken from "./malformed-special-token.js";
import messageOrder from "./message-order.js";
import messageRole from "./message-role.js";
import missingBlank from "./missing-blank.js";
import missingFrom from "./missing-from.js";
import missingLicense from "./missing-license.js";
import missingProjector from "./missing-projector.js";
import missingRequires from "./missing-requires.js";
import missingShard from "./missing-shard.js";
import missingTemplate from "./missing-template.js";
import missingValue from "./missing-value.js";
import mmapOffInLittleRam from "./mmap-off-in-little-ram.js";
import mmapRequired from "./mmap-required.js";
import mmapWithoutEffect from "./mmap-without-effect.js";
import modelAsAdapter from "./model-as-adapter.js";
import modelRefused from "./model-refused.js";
import modelTooNew from "./model-too-new.js";
import noGenerationPrompt from "./no-generation-prompt.js";
import notFinite from "./not-finite.js";
import notGguf from "./not-gguf.js";
import numGpuBeyondLayers from "./num-gpu-beyond-layers.js";
import numGpuDisablesFit from "./num-gpu-disables-fit.js";
import numGpuIsLayers from "./num-gpu-is-layers.js";
import numPredictCapped from "./num-predict-capped.js";
import outOfRange from "./out-of-range.js";
import paddedText from "./padded-text.js";
import parameterCase from "./parameter-case.js";
import parameterIgnoredByEngine from "./parameter-ignored-by-engine.js";
import parameterIsInstruction from "./parameter-is-instruction.js";
import parameterTooNew from "./parameter-too-new.js";
import parameterType from "./parameter-type.js";
import pathEscapesFolder from "./path-escapes-folder.js";
import pathNotFound from "./path-not-found.js";
import pathShadowsModel from "./path-shadows-model.js";
import percentValue from "./percent-value.js";
import pickleWeights from "./pickle-weights.js";
import predictBeyondContext from "./predict-beyond-context.js";
import preferTripleQuotes from "./prefer-triple-quotes.js";
import privateData from "./private-data.js";
import projectorAsAdapter from "./projector-as-adapter.js";
import projectorMemory from "./projector-memory.js";
import promptPlaceholder from "./prompt-placeholder.js";
import registryHost from "./registry-host.js";
import removedParameter from "./removed-parameter.js";
import repeatWindowOff from "./repeat-window-off.js";
import requiresAboveRelease from "./requires-above-release.js";
import requiresFormat from "./requires-format.js";
import requiresTooLow from "./requires-too-low.js";
import rocmMmapSlowLoad from "./rocm-mmap-slow-load.js";
import sameFileName from "./same-file-name.js";
import samplingOff from "./sampling-off.js";
import secondAdapter from "./second-adapter.js";
import secondFromIgnored from "./second-from-ignored.js";
import secret from "./secret.js";
import severalModels from "./several-models.js";
import shellLine from "./shell-line.js";
import singleQuotes from "./single-quotes.js";
import singleSafetensors from "./single-safetensors.js";
import slowPaging from "./slow-paging.js";
import smartQuotes from "./smart-quotes.js";
import spillsToCpu from "./spills-to-cpu.js";
import splitModel from "./split-model.js";
import stopList from "./stop-list.js";
import stopOpensTurn from "./stop-opens-turn.js";
import stopReplacesInherited from "./stop-replaces-inherited.js";
import stopTooCommon from "./stop-too-common.js";
import stopWrongFamily from "./stop-wrong-family.js";
import strayText from "./stray-text.js";
import systemBeyondContext from "./system-beyond-context.js";
import systemMessageClash from "./system-message-clash.js";
import systemRenderedTwice from "./system-rendered-twice.js";
import templateCase from "./template-case.js";
import templateDoubledBos from "./template-doubled-bos.js";
import templateDropsCapability from "./template-drops-capability.js";
import templateErrorAtChat from "./template-error-at-chat.js";
import templateForeignTokens from "./template-foreign-tokens.js";
import templateFunctionStruct from "./template-function-struct.js";
import templateIgnored from "./template-ignored.js";
import templateInSystem from "./template-in-system.js";
import templateIndexMessages from "./template-index-messages.js";
import templateLeadingNewline from "./template-leading-newline.js";
import templateLegacyFunction from "./template-legacy-function.js";
import templateNewerField from "./template-newer-field.js";
import templateResponseInElse from "./template-response-in-else.js";
import templateSyntax from "./template-syntax.js";
import templateTokenWithoutStop from "./template-token-without-stop.js";
import templateUndefined from "./template-undefined.js";
import templateUnknownField from "./template-unknown-field.js";
import templateUnknownFunction from "./template-unknown-function.js";
import templateWithoutPrompt from "./template-without-prompt.js";
import templateWithoutSystem from "./template-without-system.js";
import templateWithoutTools from "./template-without-tools.js";
import textAfterQuote from "./text-after-quote.js";
import threadsBeyondCores from "./threads-beyond-cores.js";
import tooManyStops from "./too-many-stops.js";
import trailingComment from "./trailing-comment.js";
import unclosedQuote from "./unclosed-quote.js";
import unknownInstruction from "./unknown-instruction.js";
import unknownParameter from "./unknown-parameter.js";
import unknownParser from "./unknown-parser.js";
import unknownRenderer from "./unknown-renderer.js";
import unknownRule from "./unknown-rule.js";
import unneededQuotes from "./unneeded-quotes.js";
import unpinnedModel from "./unpinned-model.js";
import untrustedRegistry from "./untrusted-registry.js";
import unusedDirective from "./unused-directive.js";

export const rules: readonly Rule[] = [
  absolutePath,
  adapterBaseMismatch,
  adapterFolderUnreadable,
  adapterUnsupported,
  backslashEscape,
  backslashPath,
  batchMemory,
  bidiText,
  blobPath,
  carriageReturnInValue,
  cloudModelFiles,
  cloudModelParameters,
  commentContradictsValue,
  contextBeyondTraining,
  contextForcesCpu,
  contextTimesParallel,
  contextTooSmall,
  contextUnset,
  cpuOnly,
  defaultValue,
  deprecatedParameter,
  doesNotFit,
  doubleSpaceBeforeName,
  draftEqualsModel,
  draftMemory,
  draftParameterAlone,
  draftVocabulary,
  droppedCharacter,
  duplicateInstruction,
  duplicateParameter,
  embeddingModelPrompt,
  emptySystem,
  encoding,
  equalsOrColon,
  estimatePessimistic,
  fewerGpusCheaper,
  fitsSingleGpu,
  folderOfLinks,
  folderPrefersSafetensors,
  fromNotFirst,
  fullPrecisionWeights,
  gemmaAssistantRole,
  generatedHeader,
  gitLfsPointer,
  gpuBelowMinimum,
  gpuOverheadIgnored,
  groupedParameters,
  insecureRegistry,
  instructionCase,
  instructionRemoved,
  instructionTooNew,
  invalidModelName,
  invisibleBeforeInstruction,
  jinjaTemplate,
  jsonBesideGguf,
  keepBeyondContext,
  kvCacheTypeIgnored,
  lastLayerOnCpu,
  licenseLost,
  lineContinuation,
  mainGpuDisablesSplit,
  malformedSpecialToken,
  messageOrder,
  messageRole,
  missingBlank,
  missingFrom,
  missingLicense,
  missingProjector,
  missingRequires,
  missingShard,
  missingTemplate,
  missingValue,
  mmapOffInLittleRam,
  mmapRequired,
  mmapWithoutEffect,
  modelAsAdapter,
  modelRefused,
  modelTooNew,
  noGenerationPrompt,
  notFinite,
  notGguf,
  numGpuBeyondLayers,
  numGpuDisablesFit,
  numGpuIsLayers,
  numPredictCapped,
  outOfRange,
  paddedText,
  parameterCase,
  parameterIgnoredByEngine,
  parameterIsInstruction,
  parameterTooNew,
  parameterType,
  pathEscapesFolder,
  pathNotFound,
  pathShadowsModel,
  percentValue,
  pickleWeights,
  predictBeyondContext,
  preferTripleQuotes,
  privateData,
  projectorAsAdapter,
  projectorMemory,
  promptPlaceholder,
  registryHost,
  removedParameter,
  repeatWindowOff,
  requiresAboveRelease,
  requiresFormat,
  requiresTooLow,
  rocmMmapSlowLoad,
  sameFileName,
  samplingOff,
  secondAdapter,
  secondFromIgnored,
  secret,
  severalModels,
  shellLine,
  singleQuotes,
  singleSafetensors,
  slowPaging,
  smartQuotes,
  spillsToCpu,
  splitModel,
  stopList,
  stopOpensTurn,
  stopReplacesInherited,
  stopTooCommon,
  stopWrongFamily,
  strayText,
  systemBeyondContext,
  systemMessageClash,
  systemRenderedTwice,
  templateCase,
  templateDoubledBos,
  templateDropsCapability,
  templateErrorAtChat,
  templateForeignTokens,
  templateFunctionStruct,
  templateIgnored,
  templateInSystem,
  templateIndexMessages,
  templateLeadingNewline,
  templateLegacyFunction,
  templateNewerField,
  templateResponseInElse,
  templateSyntax,
  templateTokenWithoutStop,
  templateUndefined,
  templateUnknownField,
  templateUnknownFunction,
  templateWithoutPrompt,
  templateWithoutSystem,
  templateWithoutTools,
  textAfterQuote,
  threadsBeyondCores,
  tooManyStops,
  trailingComment,
  unclosedQuote,
  unknownInstruction,
  unknownParameter,
  unknownParser,
  unknownRenderer,
  unknownRule,
  unneededQuotes,
  unpinnedModel,
  untrustedRegistry,
  unusedDirective,
];

export function ruleNamed(id: string): Rule | undefined {
  return rules.find((rule) => rule.id === id);
}
