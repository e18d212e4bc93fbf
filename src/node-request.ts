import { InputError, type Answer, type Host, type RequestOptions } from "./host.js";

type Request = NonNullable<Host["request"]>;

/** As many as a registry with a content network behind it needs, and some more. */
const mostRedirects = 5;

/**
 * Asks over HTTP with Node's own fetch. `patience` is the time in milliseconds that one server has for
 * its whole answer. No password, token or cookie is sent, and none of an address is ever named: messages
 * have its scheme, host and path alone.
 */
export function requestWithin(patience: number): Request {
  return async (address, options) => {
    let url = checked(address);
    let { method = "GET", body } = options;
    for (let redirects = 0; ; redirects++) {
      const response = await asked(url, { ...options, method, body }, patience);
      const target = redirected.has(response.status) && response.headers.get("location");
      if (target === false || target === null) return await answerOf(response, url, options);
      await response.body?.cancel();
      if (redirects === mostRedirects) {
        throw new InputError(
          `${shown(url)} leads on to other addresses without end. Check the address.`,
        );
      }
      const next = checked(target, url);
      // A server must not lead to a less protected place, nor to one that is no server.
      if (next.protocol !== url.protocol) {
        throw new InputError(
          `${shown(url)} leads to ${shown(next)}. Name that address itself if you trust it.`,
        );
      }
      // What fetch itself does: only these two repeat the body (https://fetch.spec.whatwg.org, 4.4).
      if (response.status !== 307 && response.status !== 308) [method, body] = ["GET", undefined];
      url = next;
    }
  };
}

const redirected = new Set([301, 302, 303, 307, 308]);

/** Scheme, host and path: user names, passwords and queries may be secrets. */
function shown({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
}

function checked(address: string, base?: URL): URL {
  if (!URL.canParse(address, base?.href)) {
    throw new InputError("That is no address. Write it like https://example.com/file.");
  }
  const url = new URL(address, base);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new InputError(
      `An address that begins with ${url.protocol} is not asked: only http and https are.`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new InputError(
      `The address of ${url.host} holds a user name or a password, which are not sent. Leave them out.`,
    );
  }
  return url;
}

async function asked(
  url: URL,
  { method = "GET", body, range }: RequestOptions,
  patience: number,
): Promise<Response> {
  const headers: Record<string, string> = {
    // Registries choose what a manifest looks like by this.
    accept: "application/vnd.docker.distribution.manifest.v2+json, application/json, */*",
    // Lengths and ranges are then those of the file.
    "accept-encoding": "identity",
    "user-agent": "modelfile-lint",
  };
  if (range) headers["range"] = `bytes=${range.start}-${range.end - 1}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(url, {
      method,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(patience),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw unreachable(url, error);
  }
}

async function answerOf(
  response: Response,
  url: URL,
  { range, most }: RequestOptions,
): Promise<Answer> {
  const { status, headers } = response;
  const inPart = range !== undefined && status === 206;
  const [, first, total] =
    /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
  if (inPart && Number(first) !== range.start) {
    await response.body?.cancel();
    throw new InputError(`${shown(url)} sends another part of the file than was asked for.`);
  }
  const bound = inPart ? Math.min(most, range.end - range.start) : most;
  const body = await bodyOf(response, url, bound, range !== undefined && status === 200);
  if (range === undefined) return { status, body };
  // The whole of a short file, from a server that knows no parts.
  if (status === 200) {
    return { status, body: body.subarray(range.start, range.end), total: body.length };
  }
  return { status, body, ...(inPart && total !== "*" && { total: Number(total) }) };
}

async function bodyOf(
  response: Response,
  url: URL,
  most: number,
  ignoredRange: boolean,
): Promise<Uint8Array> {
  const tooLong = () =>
    new InputError(
      ignoredRange
        ? `${shown(url)} does not serve parts of files. Download the file and name its path.`
        : `${shown(url)} sends more than ${most} bytes. Check the address.`,
    );
  if (Number(response.headers.get("content-length")) > most) {
    await response.body?.cancel();
    throw tooLong();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) {
      length += chunk.length;
      // Leaving the loop closes the connection.
      if (length > most) throw tooLong();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw unreachable(url, error);
  }
  const body = new Uint8Array(length);
  let filled = 0;
  for (const chunk of chunks) {
    body.set(chunk, filled);
    filled += chunk.length;
  }
  return body;
}

/** Codes of Node's net, dns and tls, and of undici, by what they mean to a user. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, "nothing listens there"],
  [/^(?:ENOTFOUND|EAI_AGAIN)$/, "its name is not known"],
  [/TIMEOUT|^ETIMEDOUT$/, "it does not answer in time"],
  [/CERT|^ERR_TLS|SIGNATURE|SSL/, "its certificate is not trusted"],
  [/^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, "it closed the connection"],
  [/^(?:ENETUNREACH|EHOSTUNREACH|ENETDOWN)$/, "no network leads there"],
];

function unreachable(url: URL, error: unknown): InputError {
  const name = error instanceof Error ? error.name : "";
  const code = name === "TimeoutError" ? "TIMEOUT" : codeOf(error);
  const reason = reasons.find(([pattern]) => pattern.test(code))?.[1] ?? "the connection failed";
  return new InputError(`${shown(url)} cannot be reached: ${reason}.`);
}

/** fetch hides the error of the socket as the cause of its own; several addresses of a name give several. */
function codeOf(error: unknown): string {
  for (let at = error, depth = 0; typeof at === "object" && at !== null && depth < 4; depth++) {
    if ("code" in at && typeof at.code === "string") return at.code;
    at = "cause" in at ? at.cause : undefined;
  }
  return "";
}
