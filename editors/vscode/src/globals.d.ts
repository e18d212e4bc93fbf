/** Of this extension; the build puts it in. */
declare const MODELFILE_LINT_VERSION: string;
