import { MessageType, type Connection } from "vscode-languageserver";

/* What a client is told without having asked. One that has gone meanwhile hears nothing, and that is all. */

/** In a log that few people look at. */
export function log(connection: Connection, type: MessageType, message: string): void {
  notify(connection, "window/logMessage", { type, message });
}

/** Where people see it. */
export function show(connection: Connection, type: MessageType, message: string): void {
  notify(connection, "window/showMessage", { type, message });
}

/** An error with the place that it comes from. */
export function logError(connection: Connection, where: string, error: unknown): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log(connection, MessageType.Error, `${where}: ${what}`);
}

export function notify(connection: Connection, method: string, params: unknown): void {
  try {
    connection.sendNotification(method, params).catch(() => {});
  } catch {
    // It is closed.
  }
}

/** What is asked of the client; undefined where it does not answer. */
export async function ask(
  connection: Connection,
  method: string,
  params?: unknown,
): Promise<unknown> {
  try {
    return await connection.sendRequest(method, params);
  } catch {
    return undefined;
  }
}
