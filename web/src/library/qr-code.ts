// A link as a QR code. Loaded when a code is first shown.

import { correction, generate } from "lean-qr";

/** Draw the code, dark on light in any theme, with the quiet zone that readers need. */
export function drawCode(canvas: HTMLCanvasElement, link: string): void {
  generate(link, { minCorrectionLevel: correction.L }).toCanvas(canvas, { on: [0, 0, 0, 255], off: [255, 255, 255, 255] });
}
