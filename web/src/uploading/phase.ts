// The phases of an upload.

export type Phase = "waiting" | "sending" | "paused" | "offline" | "processing" | "done" | "failed" | "refused" | "gone";
export const ENDED: ReadonlySet<Phase> = new Set(["done", "refused", "gone"]);
