import type { Span } from "../grammar/tree.js";

/** Text that looks like a key, a token or a password. */
export interface Secret extends Span {
  /** "a GitHub token" */
  what: string;
}

/**
 * Whether it is worth loading the rule set: what its patterns begin with. Every text that they match holds
 * one of these.
 */
const signs =
  /T3BlbkFJ|sk-ant-|gh[pousr]_|github_pat_|npm_|xox[abopr]-|xapp-|SG\.\w|lin_api_|shp(?:at|ca|pa|ss)_|ops_ey|PRIVATE KEY|hooks\.slack\.com|(?:SECRET|[Ss]ecret)_?(?:ACCESS|[Aa]ccess)_?(?:KEY|[Kk]ey)|:\/\/[^\s/:@]+:[^\s/@]+@/;

/** What the rules of secretlint's preset find, by the end of their id. */
const kinds: Readonly<Record<string, string>> = {
  "1password": "a 1Password token",
  anthropic: "an Anthropic API key",
  aws: "an AWS secret access key",
  basicauth: "an address with a password",
  "database-connection-string": "a database's address with a password",
  github: "a GitHub token",
  linear: "a Linear API key",
  npm: "an npm token",
  openai: "an OpenAI API key",
  privatekey: "a private key",
  sendgrid: "a SendGrid API key",
  shopify: "a Shopify token",
  slack: "a Slack token",
};

/**
 * What the preset does not know, above all the keys that people with models have. Lengths and alphabets:
 * gitleaks, config/gitleaks.toml, and for Groq, NVIDIA, OpenRouter, Replicate and xAI trufflehog, pkg/detectors.
 */
const shapes: readonly { what: string; shape: RegExp }[] = [
  { what: "an AWS access key", shape: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { what: "a Hugging Face token", shape: /\b(?:hf|api_org)_[A-Za-z]{34}\b/g },
  { what: "a Google API key", shape: /\bAIza[\w-]{35}(?![\w-])/g },
  { what: "a GitLab token", shape: /\bgl(?:pat|dt|rt|soat)-[\w-]{20}(?![\w-])/g },
  { what: "a Groq API key", shape: /\bgsk_[A-Za-z0-9]{52}\b/g },
  { what: "an xAI API key", shape: /\bxai-[A-Za-z0-9]{80}\b/g },
  { what: "a Perplexity API key", shape: /\bpplx-[A-Za-z0-9]{48}\b/g },
  { what: "a Replicate token", shape: /\br8_[A-Za-z0-9]{37}\b/g },
  { what: "an NVIDIA API key", shape: /\bnvapi-[\w-]{64}(?![\w-])/g },
  { what: "an Anthropic admin key", shape: /\bsk-ant-admin01-[\w-]{93}AA(?![\w-])/g },
  { what: "an OpenRouter API key", shape: /\bsk-or-v1-[0-9a-f]{64}\b/g },
  { what: "a Stripe key", shape: /\b[rs]k_(?:live|prod)_[A-Za-z0-9]{10,99}\b/g },
  { what: "a DigitalOcean token", shape: /\bdo[opr]_v1_[0-9a-f]{64}\b/g },
  { what: "a PyPI token", shape: /\bpypi-AgEIcHlwaS5vcmc[\w-]{50,1000}/g },
  { what: "a Databricks token", shape: /\bdapi[0-9a-f]{32}\b/g },
  { what: "a Notion token", shape: /\bntn_[0-9]{11}[A-Za-z0-9]{35}\b/g },
  { what: "a Vault token", shape: /\bhvs\.[\w-]{90,120}(?![\w-])/g },
  { what: "an age key", shape: /\bAGE-SECRET-KEY-1[AC-HJ-NP-Z02-9]{58}\b/g },
];

/** Keys of many services begin like this; only what looks drawn by lot is taken for one. */
const anyKey = /\bsk-[\w-]{32,200}(?![\w-])/g;

/** Bits a character; random letters and digits have more than 4 at these lengths, words with hyphens less. */
const leastEntropy = { shape: 3, anyKey: 4 };

/** What looks like a secret in a text, in order; examples of documentation are left out. */
export async function secretsIn(text: string): Promise<Secret[]> {
  const found = shapes.flatMap(({ what, shape }) =>
    [...text.matchAll(shape)]
      .filter(([match]) => entropy(match) >= leastEntropy.shape)
      .map((match) => spanOf(match, what)),
  );
  if (signs.test(text)) found.push(...(await fromPreset(text)));
  for (const match of text.matchAll(anyKey)) {
    const one = spanOf(match, "an API key");
    if (isMixed(match[0]) && !found.some((other) => overlap(one, other))) found.push(one);
  }
  return found
    .filter(({ start, end }) => !isExample(text.slice(start, end)))
    .sort((one, other) => one.start - other.start);
}

/**
 * Runs the rules of secretlint's preset. Its own runner is not used: it writes performance marks for every
 * rule, and keeps them for as long as the process lives.
 */
async function fromPreset(text: string): Promise<Secret[]> {
  const { rules } = await import("@secretlint/secretlint-rule-preset-recommend");
  const found: Secret[] = [];
  for (const rule of rules) {
    const what = kinds[/[\w-]*?rule-(.*)$/.exec(rule.meta.id)?.[1] ?? ""];
    // GCP's rule reads other kinds of files, and one rule is about comments that silence the others.
    if (what === undefined) continue;
    const handler = rule.create(
      {
        sharedOptions: {},
        createTranslator: () => (messageId, data) => ({
          message: "",
          messageId: String(messageId),
          data,
        }),
        report: ({ range: [start, end] }) => found.push({ start, end, what }),
        ignore: () => {},
      },
      {},
    );
    await handler.file?.(sourceOf(text));
  }
  return found;
}

/** A text as secretlint's rules want it: without a name, since some rules look at files of one name alone. */
function sourceOf(content: string) {
  return {
    hasBOM: false,
    content,
    filePath: undefined,
    physicalFilePath: undefined,
    contentType: "text" as const,
    ext: "",
    getFilePath: () => undefined,
    getPhysicalFilePath: () => undefined,
    locationToRange: unused,
    rangeToLocation: unused,
    positionToIndex: unused,
    indexToPosition: unused,
  };
}

function unused(): never {
  throw new Error("No rule in use asks for lines.");
}

function spanOf(match: RegExpExecArray, what: string): Secret {
  return { start: match.index, end: match.index + match[0].length, what };
}

function overlap(one: Span, other: Span): boolean {
  return one.start < other.end && other.start < one.end;
}

/** Examples of documentation say what they are, or repeat characters. */
function isExample(secret: string): boolean {
  // Keys in several lines begin with many zeros; the preset looks into them itself.
  if (secret.startsWith("-----BEGIN")) return false;
  return /example|placeholder|redacted|your[-_]|changeme|x{4}|(.)\1{4}|012345|123456|abcdef/i.test(
    secret,
  );
}

function isMixed(secret: string): boolean {
  const mixed = /[a-z]/.test(secret) && /[A-Z]/.test(secret) && /\d/.test(secret);
  return mixed && entropy(secret) >= leastEntropy.anyKey;
}

/** Shannon's, in bits a character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / text.length;
    return sum - share * Math.log2(share);
  }, 0);
}
