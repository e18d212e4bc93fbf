import { describe, expect, test } from "vitest";
import { parseModelfile } from "../grammar/parser.js";
import { bundle } from "../src/build/bundle.mjs";
import { lint } from "../src/index.js";
import { secretsIn } from "../src/secrets.js";

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const lower = upper.toLowerCase();
const digits = "0123456789";
const letters = upper + lower;
const word = letters + digits;
const url = `${word}_-`;
const hex = `${digits}abcdef`;

/**
 * Characters that look drawn by lot, the same in every run. Keys are put together here, so that whoever
 * looks for keys in this repository finds none.
 */
function drawn(alphabet: string, length: number, seed = 7): string {
  let state = seed;
  return Array.from({ length }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return alphabet[Math.floor((state / 2_147_483_648) * alphabet.length)];
  }).join("");
}

const pem = (kind: string, start: string) =>
  [
    "-----BEGIN ",
    `${kind}PRIVATE `,
    "KEY-----\n",
    start,
    drawn(word, 200),
    "\n-----END ",
    `${kind}PRIVATE `,
    "KEY-----",
  ].join("");

/** "OpenAI" in base 64, which each of its keys holds. */
const marker = btoa("OpenAI");

const secrets: readonly [what: string, text: string][] = [
  ["a GitHub token", `ghp_${drawn(word, 36)}`],
  ["a GitHub token", `gho_${drawn(word, 36)}`],
  ["a GitHub token", `github_pat_${drawn(word, 82)}`],
  ["an OpenAI API key", `sk-${drawn(word, 20)}${marker}${drawn(word, 20, 9)}`],
  ["an OpenAI API key", `sk-proj-${drawn(url, 74)}${marker}${drawn(word, 74, 9)}`],
  ["an Anthropic API key", `sk-ant-api03-${drawn(url, 93)}AA`],
  ["an Anthropic admin key", `sk-ant-admin01-${drawn(url, 93)}AA`],
  ["an AWS access key", `AKIA${drawn(upper + digits, 16)}`],
  ["an AWS access key", `ASIA${drawn(upper + digits, 16)}`],
  ["an AWS secret access key", drawn(`${word}/+`, 40)],
  ["a Hugging Face token", `hf_${drawn(letters, 34)}`],
  ["a Google API key", `AIza${drawn(word, 35)}`],
  ["a GitLab token", `glpat-${drawn(word, 20)}`],
  ["a Groq API key", `gsk_${drawn(word, 52)}`],
  ["an xAI API key", `xai-${drawn(word, 80)}`],
  ["a Perplexity API key", `pplx-${drawn(word, 48)}`],
  ["a Replicate token", `r8_${drawn(word, 37)}`],
  ["an NVIDIA API key", `nvapi-${drawn(word, 64)}`],
  ["an OpenRouter API key", `sk-or-v1-${drawn(hex, 64)}`],
  ["a Stripe key", `sk_live_${drawn(word, 24)}`],
  ["a DigitalOcean token", `dop_v1_${drawn(hex, 64)}`],
  ["a Databricks token", `dapi${drawn(hex, 32)}`],
  ["a Notion token", `ntn_${drawn(digits, 11)}${drawn(word, 35)}`],
  ["a PyPI token", `${["pypi-AgEIcHlwaS5v", "cmc"].join("")}${drawn(url, 70)}`],
  ["a Vault token", `hvs.${drawn(word, 95)}`],
  ["a Slack token", `xoxb-${drawn(digits, 12)}-${drawn(digits, 12, 9)}-${drawn(word, 24)}`],
  ["an npm token", `npm_${drawn(word, 36)}`],
  ["a Shopify token", `shpat_${drawn(hex, 32)}`],
  ["a Linear API key", `lin_api_${drawn(word, 40)}`],
  ["a SendGrid API key", `SG.${drawn(word, 22)}.${drawn(word, 43)}`],
  ["a private key", pem("RSA ", "MIIEpAIBAAKCAQEA")],
  ["a private key", pem("OPENSSH ", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ")],
  ["an address with a password", `https://ada:${drawn(word, 16)}@api.lovelace.dev`],
  [
    "a database's address with a password",
    `postgres://ada:${drawn(word, 16)}@db.lovelace.dev/notes`,
  ],
  [
    "a database's address with a password",
    `mongodb+srv://ada:${drawn(word, 16)}@db.lovelace.dev/notes`,
  ],
  ["an API key", `sk-${drawn(word, 48)}`],
];

describe("secrets", () => {
  test.each(secrets)("are found: %s", async (what, text) => {
    const before = what.startsWith("an AWS secret") ? "aws_secret_access_key = " : "Use ";
    const found = await secretsIn(`FROM llama3.2\nSYSTEM """${before}${text} for it."""\n`);
    expect(found.map((one) => one.what)).toEqual([what]);
  });

  test("are found in comments, and told with their place", async () => {
    const [, token] = secrets[0]!;
    const text = `# ${token}\nFROM llama3.2\n`;
    expect(await lint(text)).toMatchObject([
      {
        rule: "secret",
        at: { start: 2, end: 2 + token.length },
        message: "This looks like a GitHub token.",
      },
    ]);
  });

  test("are looked for once, and told for every release", async () => {
    const { findOut } = await import("../src/context.js");
    const { newestRelease, parseRelease } = await import("../src/facts/release.js");
    const file = parseModelfile(`FROM llama3.2\nSYSTEM ${secrets[0]![1]}\n`);
    const known = await findOut(file, {
      folder: "/",
      modelsFolder: "/",
      server: {},
      models: new Map(),
    });
    const [old, now] = [parseRelease("0.3.0")!, newestRelease].map((release) =>
      known.contextOf(release),
    );
    expect(old!.secrets).toHaveLength(1);
    expect(now!.secrets).toBe(old!.secrets);
  });
});

const others: readonly string[] = [
  ["AKIA", "IOSFODNN7EXAMPLE"].join(""),
  ["aws_secret_access_key = ", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"].join(""),
  "AKIAXXXXXXXXXXXXXXXX",
  "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
  "sk-your-api-key-here-put-it-between-the-quotes-please",
  "sk-1234567890abcdefghijklmnopqrstuvwxyzABCDEFGH",
  "sk-ant-api03-...",
  "sk-learn-is-a-library-for-machine-learning-in-Python-3",
  "risk-assessment-and-mitigation-strategies-for-projects",
  "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
  "ghp_short",
  "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
  "hf_transfer",
  "hf_your_token_goes_into_this_place_now",
  "npm_config_registry",
  "AIzaSy...",
  "xai-grok",
  "gsk_api_key",
  "r8_your_token",
  "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
  "-----BEGIN RSA PRIVATE KEY-----",
  "https://user:password@example.com",
  "https://localhost:8080/path@v2",
  "postgres://user:password@localhost:5432/db",
  "postgres://${DB_USER}:${DB_PASSWORD}@db/notes",
  "mongodb://localhost:27017",
  "git@github.com:acme/tuned.git",
  "blobs/sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  drawn(hex, 64),
  "8f14e45f-ceea-467f-a0e6-1c8a7b3b2f6d",
  "{{ .Secret_Access_Key }} = secret",
  "https://hooks.slack.com/services/",
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
  "xoxb-your-token",
];

test.each(others)("no secret: %s", async (text) => {
  expect(await secretsIn(`FROM llama3.2\nSYSTEM """Use ${text} for it."""\n`)).toEqual([]);
});

test("nothing that only Node has comes along into a browser", async () => {
  const { metafile } = await bundle({
    entryPoints: ["src/secrets.ts"],
    platform: "browser",
    outdir: "nowhere",
    splitting: true,
    write: false,
    metafile: true,
  });
  const outputs = Object.values(metafile!.outputs);
  const outside = outputs.flatMap(({ imports }) => imports.filter(({ external }) => external));
  expect(outside).toEqual([]);
  const preset = outputs.find(({ entryPoint }) => entryPoint?.includes("secretlint-rule-preset"));
  // Most of what the preset brings is read by one rule, for key files; the rest is small.
  expect(preset?.bytes).toBeGreaterThan(10_000);
  expect(outputs.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(250_000);
});
