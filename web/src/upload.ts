// The upload page: files are uploaded as soon as they are chosen, and their links work at once.

import { removePendingUpload } from "./library/store";
import { wireKeyField } from "./parts/access-key";
import { wireCopyButtons } from "./parts/copy";
import { required } from "./parts/dom";
import { Blurring } from "./uploading/blurring";
import { claim } from "./uploading/claims";
import { Intake, type StoredFile } from "./uploading/intake";
import { InterruptedUploads } from "./uploading/interrupted";
import { type FileHandler, watchDrops, watchPastes, watchPicker } from "./uploading/picking";
import { noteAsked } from "./uploading/proof-asked";
import { Queue } from "./uploading/queue";
import { Summary } from "./uploading/summary";

const form = required<HTMLFormElement>("#upload");
const picker = required<HTMLInputElement>("#file");
const queue: Queue = new Queue(required("#uploads"), (wereAdded) => {
  summary.refresh(wereAdded);
  void guest?.then((shown) => shown.add(queue.images), () => undefined);
});
const guest = document.querySelector("#room") ? import("./uploading/guest").then(({ Guest }) => new Guest()) : undefined;
const summary = new Summary(queue);
const interrupted = new InterruptedUploads(required("#interrupted"), queue);
const blurring = new Blurring(required("#blur"));
const intake = new Intake(form, queue, required("#skipped"), (isFile) => interrupted.take(isFile), blurring);
const take: FileHandler = (files, from) => void intake.take(files, from);

/** Ask what becomes of files that come from elsewhere. */
async function askAbout(files: StoredFile[]): Promise<void> {
  if (files.length === 0) return;
  for (const { id } of files) claim(id);
  const { Arrivals } = await import("./uploading/arrivals");
  new Arrivals(required("#arrivals"), intake, removePendingUpload).show(files);
}

picker.required = false;
if (!("webkitdirectory" in picker)) required("#folder-button").hidden = true;
for (const each of form.querySelectorAll<HTMLInputElement>("input[type=file]")) watchPicker(each, take);
watchDrops(required("#drop-zone"), take);
watchPastes(take);
form.dataset["live"] = "";
form.addEventListener("submit", (event) => {
  event.preventDefault();
  picker.click();
});
wireCopyButtons();
wireKeyField();
if ("proof" in form.dataset) noteAsked();
addEventListener("access-key", () => queue.retryAll());
interrupted.load().then(askAbout).catch(() => undefined); // a browser that stores nothing resumes nothing
addEventListener("load", () => void navigator.serviceWorker?.register("/sw.js").catch(() => undefined));
