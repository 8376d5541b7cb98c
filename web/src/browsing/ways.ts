// The two ways through an album, and which of them is left: the next image, where text is written from right to left.

import { isRightToLeft } from "../parts/dom";

export type Way = "previous" | "next";

export const wayTo = (side: "left" | "right"): Way => ((side === "left") === isRightToLeft() ? "next" : "previous");
