import { open, readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Host } from "./host.js";

/** This computer's files, programs and environment, with paths as Node.js takes them; no network. */
export const nodeHost: Host = {
  resolve: (folder, path) => {
    // "~name" is another user's home for a shell only; here it is a file's name.
    const inHome = /^~(?:[\\/]+(.*))?$/s.exec(path);
    return inHome ? join(homedir(), inHome[1] ?? "") : resolve(folder, path);
  },

  async stat(path) {
    try {
      const found = await stat(path);
      if (found.isFile()) return { kind: "file", size: found.size, changed: found.mtimeMs };
      return { kind: found.isDirectory() ? "folder" : "other", size: 0 };
    } catch {
      return undefined;
    }
  },

  async read(path, start = 0, end) {
    // Opening a FIFO waits for a writer, and opening a device can have effects of its own.
    if (!(await stat(path)).isFile()) throw new Error(`${path} is no regular file.`);
    const file = await open(path);
    try {
      if (start === 0 && end === undefined) return await file.readFile();
      const { size } = await file.stat();
      const bytes = new Uint8Array(Math.max(0, Math.min(end ?? size, size) - start));
      let filled = 0;
      // One call may give less than it was asked for, and at most 2 GiB.
      while (filled < bytes.length) {
        const length = Math.min(bytes.length - filled, 2 ** 30);
        const { bytesRead } = await file.read(bytes, filled, length, start + filled);
        if (bytesRead === 0) return bytes.subarray(0, filled);
        filled += bytesRead;
      }
      return bytes;
    } finally {
      await file.close();
    }
  },

  list: (folder) => readdir(folder),

  variable: (name) => process.env[name],

  async run(program, args) {
    const { execFile } = await import("node:child_process");
    return new Promise((done) => {
      try {
        const child = execFile(
          program,
          args,
          {
            timeout: 10_000,
            killSignal: "SIGKILL",
            maxBuffer: 4 * 2 ** 20,
            windowsHide: true,
            env: { ...process.env, LC_ALL: "C" },
            // Windows looks for programs here first: never in the folder of somebody's Modelfile.
            cwd: dirname(process.execPath),
          },
          (error, output) => done(error ? undefined : output),
        );
        // A program that asks something gets no answer instead of waiting for one.
        child.stdin?.on("error", () => {}).end();
      } catch {
        done(undefined);
      }
    });
  },
};

/** The same and the network, for those who ask for it. */
export const onlineHost: Host = {
  ...nodeHost,
  async request(url, options) {
    const { requestWithin } = await import("./node-request.js");
    return requestWithin(10_000)(url, options);
  },
};
