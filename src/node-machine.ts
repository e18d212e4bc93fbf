import { arch, availableParallelism, freemem, platform as system, totalmem } from "node:os";
import { detect, type Detection, type Platform } from "./machines/detect.js";
import { nodeHost } from "./node-host.js";

/** What Node.js itself knows of this computer. Memory in bytes. */
export function platform(): Platform {
  const name = system();
  return {
    os: name === "win32" ? "windows" : name === "darwin" ? "darwin" : "linux",
    arch: arch(),
    memory: { total: totalmem(), free: freemem() },
    cores: availableParallelism(),
  };
}

/** This computer, and what told of it. */
export function detectHere(): Promise<Detection> {
  return detect(nodeHost, platform());
}
