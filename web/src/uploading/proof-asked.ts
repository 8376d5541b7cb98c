// Whether the server asks for proofs of work. Only then is the part loaded that solves challenges ahead.

import { keyHeader } from "../parts/access-key";

let ahead: Promise<typeof import("./proof-ahead") | undefined> | undefined;

/** The server asks for proofs of work: one is solved now, for the next upload. */
export function noteAsked(): void {
  ahead ??= import("./proof-ahead").catch(() => undefined);
  void ahead.then((part) => part?.noteAsked(keyHeader));
}

/** The solution for an upload that begins; undefined where none is needed, or none can be found. */
export async function nextProof(): Promise<string | undefined> {
  return (await ahead)?.nextProof();
}
