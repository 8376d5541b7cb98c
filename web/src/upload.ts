// The upload page: files are uploaded as soon as they are chosen, and their links work at once.

import { wireCopyButtons } from "./parts/copy";
import { required } from "./parts/dom";
import { Blurring } from "./uploading/blurring";
import { Intake } from "./uploading/intake";
import { InterruptedUploads } from "./uploading/interrupted";
import { OwnImages } from "./uploading/own-images";
import { type FileHandler, watchDrops, watchPastes, watchPicker } from "./uploading/picking";
import { Queue } from "./uploading/queue";
import { Summary } from "./uploading/summary";

const form = required<HTMLFormElement>("#upload");
const picker = required<HTMLInputElement>("#file");
const queue: Queue = new Queue(required("#uploads"), (wereAdded) => {
  summary.refresh(wereAdded);
  own?.add(queue.images);
});
const ownPlace = document.querySelector<HTMLElement>("#own");
const own = ownPlace ? new OwnImages(ownPlace) : undefined;
const summary = new Summary(queue);
const interrupted = new InterruptedUploads(required("#interrupted"), queue);
const blurring = new Blurring(required("#blur"));
const intake = new Intake(form, queue, required("#skipped"), (isFile) => interrupted.take(isFile), blurring);
const take: FileHandler = (files, from) => void intake.take(files, from);

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
void interrupted.load();
addEventListener("load", () => void navigator.serviceWorker?.register("/sw.js").catch(() => undefined));
