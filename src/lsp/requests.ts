import {
  ErrorCodes,
  LSPErrorCodes,
  ResponseError,
  type CancellationToken,
} from "vscode-languageserver";
import type { View } from "../editor/view.js";
import type { Result } from "./analysis.js";
import type { Document, Snapshot } from "./documents.js";
import { isPosition } from "./positions.js";
import type { Session } from "./session.js";
import { isRecord } from "./settings.js";
import { logError } from "./telling.js";

type Handler<P, R> = (params: P, token: CancellationToken) => R | Promise<R>;
type Guarded<P, R> = (params: P, token: CancellationToken) => Promise<R | ResponseError<never>>;

/** Answers a request whatever happens: with an error where the client asks at the wrong time, or we fail. */
export function guarded<P, R>(
  session: Session,
  method: string,
  handler: Handler<P, R>,
): Guarded<P, R> {
  return async (params, token) => {
    const early = tooSoonOrLate(session);
    if (early) return early;
    if (token.isCancellationRequested) return cancelled();
    try {
      const result = await handler(params, token);
      return token.isCancellationRequested ? cancelled() : result;
    } catch (error) {
      if (error instanceof ResponseError) return error as ResponseError<never>;
      logError(session.connection, method, error);
      const message = `${method} failed inside modelfile-lint. Its log says where.`;
      return new ResponseError(ErrorCodes.InternalError, message);
    }
  };
}

/** For a time at which no request is answered. */
export function tooSoonOrLate({ phase }: Session): ResponseError<never> | undefined {
  if (phase === "new") {
    return new ResponseError(ErrorCodes.ServerNotInitialized, "Send initialize first.");
  }
  if (phase === "running") return undefined;
  return new ResponseError(ErrorCodes.InvalidRequest, "The server has been shut down.");
}

function cancelled(): ResponseError<never> {
  return new ResponseError(LSPErrorCodes.RequestCancelled, "The request was cancelled.");
}

export function contentModified(): ResponseError<never> {
  return new ResponseError(LSPErrorCodes.ContentModified, "The text has changed meanwhile.");
}

export function invalidParams(what: string): ResponseError<never> {
  return new ResponseError(ErrorCodes.InvalidParams, what);
}

/** A document as a request finds it; what follows from it belongs to this text, whatever is typed meanwhile. */
export interface Asked {
  document: Document;
  snapshot: Snapshot;
  view: View;
  result: Result;
}

interface About {
  textDocument: { uri: string };
}

/**
 * Answers a request about a document with `nothing` where it is none of ours, or nothing is to be said about
 * it. `patience`: milliseconds to wait for what has to be looked up.
 */
export function about<P extends About, R>(
  session: Session,
  method: string,
  nothing: R,
  handler: (asked: Asked, params: P, token: CancellationToken) => R | Promise<R>,
  patience = 0,
): Guarded<P, R> {
  return guarded(session, method, async (params: P, token) => {
    const asked = await askedAbout(session, params, patience);
    if (!asked || token.isCancellationRequested) return nothing;
    return handler(asked, params, token);
  });
}

async function askedAbout(
  session: Session,
  params: About,
  patience: number,
): Promise<Asked | undefined> {
  const uri: unknown = isRecord(params?.textDocument) ? params.textDocument.uri : undefined;
  if (typeof uri !== "string") throw invalidParams("textDocument.uri is to be a text.");
  return documentAt(session, uri, patience);
}

export async function documentAt(
  { documents, analysis }: Session,
  uri: string,
  patience = 0,
): Promise<Asked | undefined> {
  const document = documents.get(uri);
  if (document?.kind !== "modelfile") return undefined;
  const result = await (patience > 0
    ? analysis.within(document, patience)
    : analysis.now(document));
  const { snapshot, view } = result;
  return view && { document, snapshot, view, result };
}

/** A place that a request names, as an offset. */
export function offsetOf({ places }: Snapshot, position: unknown): number {
  if (!isPosition(position)) throw invalidParams("position is to have a line and a character.");
  return places.offset(position);
}
