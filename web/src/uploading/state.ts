// The state of an upload, read from the upload's own address.

import type { ImageResource } from "../library/image";
import type { ProblemDetails } from "../parts/problems";

export interface UploadState {
  state: "receiving" | "processing" | "done" | "refused";
  offset: number;
  length: number | null;
  image?: ImageResource;
  problem?: ProblemDetails;
}

/** The state; `gone` if the server doesn't know the upload any more, `unreachable` if it can't be asked right now. */
export async function stateOf(url: string): Promise<UploadState | "gone" | "unreachable"> {
  try {
    const reply = await fetch(url);
    if (reply.ok) return (await reply.json()) as UploadState;
    return reply.status === 404 || reply.status === 410 ? "gone" : "unreachable";
  } catch {
    return "unreachable";
  }
}
