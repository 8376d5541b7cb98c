// Files that are pasted or dropped on another page: they are handed over to the upload page, which is opened.

import { announce } from "./announce";
import { isTextField } from "./dom";
import { nameByTime } from "./file-names";
import { t } from "./messages";

/** Let files be pasted and dropped anywhere on this page. */
export function wireHandOver(): void {
  document.addEventListener("paste", (event) => take(event, event.clipboardData));
  document.addEventListener("drop", (event) => take(event, event.dataTransfer));
  document.addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
}

function take(event: Event, data: DataTransfer | null): void {
  if (isTextField(event.target) || !data?.types.includes("Files")) return;
  event.preventDefault();
  const isFile = (item: DataTransferItem): boolean => item.kind === "file" && item.webkitGetAsEntry()?.isDirectory !== true;
  const files = [...data.items].filter(isFile).flatMap((item) => item.getAsFile() ?? []);
  if (files.length > 0) void handOver(files.map(nameByTime));
}

async function handOver(files: File[]): Promise<void> {
  try {
    const { savePendingFiles } = await import("../library/store");
    await savePendingFiles(files);
    location.assign("/");
  } catch {
    announce(t("Files can’t be passed to the upload page in this window. Open it and choose them there."), { staysMs: 8000 });
  }
}
