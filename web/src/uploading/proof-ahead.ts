// Solutions ahead: while the server asks for proofs of work, the first request of an upload brings one, instead of being refused.

const MARGIN_MS = 30_000; // until a solution that is taken has been sent

interface Ahead {
  proof: string | undefined;
  until: number;
}

let isAsked = false;
let keyHeader = (): Record<string, string> => ({});
let ahead: Promise<Ahead | undefined> | undefined;

/**
 * The server asks for proofs of work: one is solved now, for the next upload. `pageKeyHeader`: the header of the page's
 * access key, as it is by then; this file is bundled by itself.
 */
export function noteAsked(pageKeyHeader: () => Record<string, string>): void {
  isAsked = true;
  keyHeader = pageKeyHeader;
  prepare();
}

/** The solution for an upload that begins, and the next one is begun; undefined where none is needed, or none can be found. */
export async function nextProof(): Promise<string | undefined> {
  let found = await take();
  if (found && found.until < Date.now()) found = await take();
  prepare();
  return found?.proof;
}

function take(): Promise<Ahead | undefined> {
  prepare();
  const taken = ahead ?? Promise.resolve(undefined);
  ahead = undefined;
  return taken;
}

function prepare(): void {
  if (isAsked) ahead ??= solved().catch(() => undefined);
}

/** Undefined when the server no longer asks. */
async function solved(): Promise<Ahead | undefined> {
  const began = Date.now();
  const reply = await fetch("/api/v1/challenge", { cache: "no-store", headers: { Accept: "application/json", ...keyHeader() } });
  const body = await reply.text();
  const { challenge, valid_s } = JSON.parse(body) as { challenge?: unknown; valid_s?: number };
  isAsked = Boolean(challenge);
  if (!challenge || !valid_s) return undefined;
  const { solve } = await import("./proof");
  return { proof: await solve(body), until: began + valid_s * 1000 - MARGIN_MS };
}
