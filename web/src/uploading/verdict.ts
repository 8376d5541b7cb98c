// The server's verdict on an upload whose bytes are all sent.

import { stateOf, type UploadState } from "./state";

const POLL_MS = [300, 700, 1500, 3000, 5000];

/** An upload that the server has accepted or refused. */
export interface Verdict extends UploadState {
  state: "done" | "refused";
}

/** The verdict, once there is one; `gone` if the server doesn't know the upload any more. `onReply` is called for each question. */
export async function verdictOn(url: string, onReply: (isReachable: boolean) => void): Promise<Verdict | "gone"> {
  for (let attempt = 0; ; attempt += 1) {
    const state = await stateOf(url);
    onReply(state !== "unreachable");
    if (state === "gone") return state;
    if (state !== "unreachable" && isVerdict(state)) return state;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS[Math.min(attempt, POLL_MS.length - 1)]));
  }
}

const isVerdict = (state: UploadState): state is Verdict => state.state === "done" || state.state === "refused";
