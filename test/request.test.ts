import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError, type RequestOptions } from "../src/host.js";
import { nodeHost, onlineHost } from "../src/node-host.js";
import { requestWithin } from "../src/node-request.js";
import { run } from "./command.js";
import { smallLlama } from "./gguf-file.js";

const file = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
let connections = 0;
let open = 0;

/** What each path of the server answers. */
const answers: Readonly<
  Record<string, (response: ServerResponse, request: IncomingMessage) => void>
> = {
  "/file": (response) => response.end(file),
  "/parts": (response, { headers }) => {
    const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
    if (Number(start) >= file.length) {
      response.writeHead(416, { "content-range": `bytes */${file.length}` }).end();
      return;
    }
    const part = file.subarray(Number(start), Number(last) + 1);
    const end = Number(start) + part.length - 1;
    response.writeHead(206, { "content-range": `bytes ${start}-${end}/${file.length}` }).end(part);
  },
  "/unknown-total": (response) =>
    response.writeHead(206, { "content-range": "bytes 0-9/*" }).end(file.subarray(0, 10)),
  "/other-part": (response) =>
    response.writeHead(206, { "content-range": "bytes 7-16/1000" }).end(file.subarray(7, 17)),
  "/no-part": (response) => response.writeHead(206).end(file.subarray(0, 10)),
  "/too-much": (response) =>
    response.writeHead(206, { "content-range": "bytes 0-9/1000" }).end(file),
  "/endless": (response) => {
    open++;
    response.on("close", () => open--);
    const more = () => {
      while (!response.destroyed && response.write(new Uint8Array(4096)));
      response.once("drain", more);
    };
    more();
  },
  "/slow": () => {},
  "/stalls": (response) => response.write("a"),
  "/breaks": (response) => {
    response.writeHead(200, { "content-length": 100 }).write("a");
    setTimeout(() => response.destroy(), 20);
  },
  "/echo": (response, request) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const { method, headers } = request;
      response.end(JSON.stringify({ method, body, headers }));
    });
  },
  "/error": (response) => response.writeHead(500).end("no"),
  "/empty": (response) => response.writeHead(204).end(),
  "/again": (response) => response.writeHead(302, { location: "/again" }).end(),
  "/see-other": (response) => response.writeHead(303, { location: "/echo" }).end(),
  "/temporary": (response) => response.writeHead(307, { location: "echo" }).end(),
  "/lost": (response) => response.writeHead(301).end("x"),
  "/to-file": (response) => response.writeHead(302, { location: "file:///etc/passwd" }).end(),
  "/to-https": (response) =>
    response.writeHead(302, { location: "https://example.invalid/x?token=hush" }).end(),
  "/to-password": (response) =>
    response.writeHead(302, { location: "http://me:hush@127.0.0.1/" }).end(),
  "/api/show": (response) => {
    const { metadata, tensors } = smallLlama();
    const shown = {
      details: { quantization_level: "Q4_K_M" },
      model_info: { ...metadata, "tokenizer.ggml.tokens": null },
      tensors: tensors.map(({ dims, ...tensor }) => ({ ...tensor, shape: dims })),
    };
    response.end(JSON.stringify(shown));
  },
  "/api/tags": (response) => response.end('{"models":[]}'),
  "/to-nonsense": (response) => response.writeHead(302, { location: "http://[hush" }).end(),
};

let server: Server;
let base: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://x");
    const hops = /^\/hop\/(\d)$/.exec(pathname)?.[1];
    if (hops !== undefined) {
      const location = hops === "0" ? "/file" : `/hop/${Number(hops) - 1}`;
      response.writeHead(302, { location }).end();
      return;
    }
    const answer = answers[pathname];
    if (answer) answer(response, request);
    else response.writeHead(404).end();
  });
  server.on("connection", () => connections++);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const request = requestWithin(5000);

function get(path: string, options: Partial<RequestOptions> = {}) {
  return request(base + path, { most: 10_000, ...options });
}

function part(path: string, start: number, end: number, most = 10_000) {
  return get(path, { range: { start, end }, most });
}

async function complaint(asking: Promise<unknown>): Promise<string> {
  const error: unknown = await asking.then(
    () => expect.fail("no error"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  expect(error.message).not.toContain("hush");
  return error.message.replaceAll(base, "BASE");
}

async function echoed(path: string, options: Partial<RequestOptions> = {}) {
  const { body } = await get(path, options);
  return JSON.parse(new TextDecoder().decode(body)) as {
    method: string;
    body: string;
    headers: Record<string, string>;
  };
}

describe("an answer", () => {
  test("has status and bytes, whatever the status", async () => {
    expect(await get("/file")).toEqual({ status: 200, body: file });
    expect(await get("/file?token=hush")).toEqual({ status: 200, body: file });
    expect((await get("/none")).status).toBe(404);
    expect(new TextDecoder().decode((await get("/error")).body)).toBe("no");
    expect(await get("/empty")).toEqual({ status: 204, body: new Uint8Array() });
  });

  test("may have as many bytes as are wanted, and no more", async () => {
    expect((await get("/file", { most: 1000 })).body).toHaveLength(1000);
    expect(await complaint(get("/file", { most: 999 }))).toBe(
      "BASE/file sends more than 999 bytes. Check the address.",
    );
  });

  test("is broken off where it has no end", async () => {
    expect(await complaint(get("/endless?token=hush", { most: 100_000 }))).toContain(
      "BASE/endless sends more than 100000 bytes.",
    );
    await expect.poll(() => open).toBe(0);
  });

  test("comes in time, or not at all", async () => {
    const hasty = requestWithin(100);
    for (const path of ["/slow?token=hush", "/stalls"]) {
      expect(await complaint(hasty(base + path, { most: 10 }))).toBe(
        `BASE${path.split("?")[0]} cannot be reached: it does not answer in time.`,
      );
    }
  });

  test("is none where the connection breaks", async () => {
    expect(await complaint(get("/breaks"))).toBe(
      "BASE/breaks cannot be reached: it closed the connection.",
    );
  });
});

describe("a request", () => {
  test("sends JSON, and nothing about the user", async () => {
    process.env["HF_TOKEN"] = "hush";
    const post = await echoed("/echo", { method: "POST", body: { model: "a" } });
    delete process.env["HF_TOKEN"];
    expect(post).toMatchObject({ method: "POST", body: '{"model":"a"}' });
    expect(post.headers["content-type"]).toBe("application/json");
    expect(post.headers["user-agent"]).toBe("modelfile-lint");
    const sent = JSON.stringify((await echoed("/echo")).headers);
    expect(sent).not.toMatch(/hush|authorization|cookie/i);
  });

  test("opens no connection for what is no address of a server", async () => {
    const before = connections;
    const most = 10;
    const problems = [
      ["nowhere", "That is no address. Write it like https://example.com/file."],
      ["", "That is no address."],
      ["file:///etc/passwd", "An address that begins with file: is not asked"],
      ["ftp://127.0.0.1/x", "An address that begins with ftp: is not asked"],
      [base.replace("//", "//me:hush@"), "holds a user name or a password"],
      [base.replace("//", "//hush@"), "holds a user name or a password"],
    ] as const;
    for (const [address, problem] of problems) {
      expect(await complaint(request(address, { most }))).toContain(problem);
    }
    expect(connections).toBe(before);
  });

  test("fails in words where nothing answers", async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const { port } = other.address() as AddressInfo;
    await new Promise((done) => other.close(done));
    const address = `http://127.0.0.1:${port}`;
    expect(await complaint(request(`${address}/?token=hush`, { most: 10 }))).toBe(
      `${address} cannot be reached: nothing listens there.`,
    );
    // No certificate: a server that speaks HTTP alone.
    const secure = base.replace("http:", "https:");
    expect(await complaint(request(secure, { most: 10 }))).toContain("cannot be reached");
  });
});

describe("a part of a file", () => {
  test("comes with the size of the whole", async () => {
    const body = file.subarray(10, 20);
    expect(await part("/parts", 10, 20)).toEqual({ status: 206, body, total: 1000 });
    expect((await part("/parts", 990, 2000)).body).toEqual(file.subarray(990));
    expect(await part("/parts", 1000, 1010)).toMatchObject({ status: 416 });
    expect(await part("/unknown-total", 0, 10)).not.toHaveProperty("total");
  });

  test("is cut out of a short file where a server knows no parts", async () => {
    const body = file.subarray(10, 20);
    expect(await part("/file", 10, 20)).toEqual({ status: 200, body, total: 1000 });
  });

  test("is not got out of a long one", async () => {
    const problem = "does not serve parts of files. Download the file and name its path.";
    expect(await complaint(part("/file", 0, 10, 10))).toBe(`BASE/file ${problem}`);
    expect(await complaint(part("/endless", 0, 10, 10))).toBe(`BASE/endless ${problem}`);
  });

  test("is the part that was asked for", async () => {
    for (const path of ["/other-part", "/no-part"]) {
      expect(await complaint(part(path, 0, 10))).toContain("sends another part of the file");
    }
    expect(await complaint(part("/too-much", 0, 10))).toContain("sends more than 10 bytes");
  });
});

describe("redirects", () => {
  test("are followed five times", async () => {
    expect((await get("/hop/4")).body).toEqual(file);
    expect(await complaint(get("/hop/5"))).toContain("leads on to other addresses without end");
    expect(await complaint(get("/again"))).toContain("leads on to other addresses without end");
    expect(await get("/lost")).toMatchObject({ status: 301 });
  });

  test("repeat the body only where they say so", async () => {
    const options = { method: "POST", body: { a: 1 } } as const;
    expect(await echoed("/see-other", options)).toMatchObject({ method: "GET", body: "" });
    expect(await echoed("/temporary", options)).toMatchObject({ method: "POST", body: '{"a":1}' });
  });

  test("lead to servers of the same kind alone", async () => {
    expect(await complaint(get("/to-https"))).toBe(
      "BASE/to-https leads to https://example.invalid/x. Name that address itself if you trust it.",
    );
    expect(await complaint(get("/to-file"))).toContain("begins with file:");
    expect(await complaint(get("/to-password"))).toContain("holds a user name or a password");
    expect(await complaint(get("/to-nonsense"))).toContain("is no address");
  });
});

function node(code: string): Promise<string | undefined> {
  return nodeHost.run!(process.execPath, ["-e", code]);
}

test("the command asks a server where it is told to", async () => {
  const env = { OLLAMA_HOST: base };
  const online = await run(["model", "acme/x", "--online"], { env });
  expect(online.stderr).toBe("");
  expect(online.stdout).toMatch(/source +Ollama's server\n/);
  expect(online.stdout).toContain(`/api/show of ${base}`);
  const before = connections;
  const offline = await run(["model", "acme/x"], { env });
  expect(offline.code).toBe(2);
  expect(offline.stderr).toContain("Try --online");
  expect(connections).toBe(before);
});

describe("Node's host", () => {
  test("has the network only for who asks for it", async () => {
    expect("request" in nodeHost).toBe(false);
    expect(await onlineHost.request!(`${base}/file`, { most: 1000 })).toMatchObject({
      status: 200,
    });
    expect(onlineHost).toMatchObject(nodeHost);
  });

  test("runs programs, in the words of the C locale", async () => {
    expect(await node("process.stdout.write(process.env.LC_ALL)")).toBe("C");
    expect(await nodeHost.run!(process.execPath, ["-p", "'$HOME; a b'"])).toBe("$HOME; a b\n");
  });

  test("has no answer where a program fails", async () => {
    expect(await nodeHost.run!("no-such-program-anywhere", [])).toBeUndefined();
    expect(await nodeHost.run!("bad\0name", [])).toBeUndefined();
    expect(await node("console.log(1); process.exit(1)")).toBeUndefined();
    expect(await node("process.kill(process.pid)")).toBeUndefined();
    expect(await node("process.stdout.write('x'.repeat(5 * 2 ** 20))")).toBeUndefined();
  });

  test("does not let a program wait for input", async () => {
    const code = "process.stdin.on('data', () => {}).on('end', () => console.log('end'))";
    expect(await node(code)).toBe("end\n");
  });
});
