// An upload's state, as the server tells it at the upload's own address.

import type { Picture } from "../mine/picture";
import type { Problematic } from "../parts/problems";

export interface State {
  state: "receiving" | "processing" | "done" | "refused";
  offset: number;
  length: number | null;
  image?: Picture;
  problem?: Problematic;
}

/** The state; `gone` where the server knows no such upload any more, `away` where it can't be asked just now. */
export async function stateOf(url: string): Promise<State | "gone" | "away"> {
  try {
    const reply = await fetch(url);
    if (reply.ok) return (await reply.json()) as State;
    return reply.status === 404 || reply.status === 410 ? "gone" : "away";
  } catch {
    return "away";
  }
}
