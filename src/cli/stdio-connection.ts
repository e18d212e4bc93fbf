import process from "node:process";
import { Transform } from "node:stream";
import { createConnection, type Connection } from "vscode-languageserver/node";

/**
 * The connection to an editor over standard input and output. It ends the process when it is told to, when
 * its input ends, or when the editor's process is gone.
 */
export function stdioConnection(): Connection {
  return createConnection(process.stdin.pipe(framesAlone()), process.stdout);
}

/** Bytes. A header has two lines at most. */
const longestHeader = 4096;

/**
 * Lets messages with their length through, and drops what else there is: behind a header that it cannot
 * read, the protocol library would take no message for one again.
 */
function framesAlone(): Transform {
  let head: Buffer = Buffer.alloc(0);
  /** Bytes of a message that are still to come. */
  let left = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest: Buffer = chunk;
      while (rest.length > 0) {
        if (left > 0) {
          const part = rest.subarray(0, left);
          this.push(part);
          left -= part.length;
          rest = rest.subarray(part.length);
          continue;
        }
        head = Buffer.concat([head.subarray(-longestHeader), rest]);
        const end = head.indexOf("\r\n\r\n");
        if (end < 0) break;
        left = lengthIn(head.subarray(Math.max(0, end - longestHeader), end).toString("latin1"));
        if (left > 0) this.push(`Content-Length: ${left}\r\n\r\n`);
        rest = head.subarray(end + 4);
        head = Buffer.alloc(0);
      }
      done();
    },
  });
}

/** What the last header of a text announces, in bytes; 0 where there is none. */
function lengthIn(text: string): number {
  const [, length] = [...text.matchAll(/content-length: *(\d{1,10}) *(?:\r\n|$)/gi)].at(-1) ?? [];
  return Number(length ?? 0);
}
