// Discarding an upload that isn't finished.

const GONE = [404, 410];

/** Have the server discard what it has of the upload, and its link. False if the server couldn't be told. */
export async function discardUpload(url: string): Promise<boolean> {
  const reply = await fetch(url, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0" } }).catch(() => undefined);
  return reply !== undefined && (reply.ok || GONE.includes(reply.status));
}
