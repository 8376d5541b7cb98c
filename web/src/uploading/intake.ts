// The one door for files: whatever brings some (a picker, a drop, a paste, another page) comes here, and what they are to be is
// decided here before the queue has them.

import { type PendingUpload, removePendingUpload } from "../library/store";
import { languageReady } from "../parts/language";
import { locale, tn } from "../parts/messages";
import type { Blurring, Checked } from "./blurring";
import { type InterruptedUpload, isFileOf } from "./pending-uploads";
import { problemOf } from "./limits";
import type { Source } from "./picking";
import type { Entry, Queue } from "./queue";
import type { UploadOptions } from "./transfer";

const MAX_NAMES = 20;

/** Which interrupted upload a file resumes, if any; it is then no longer interrupted. */
export type TakeInterrupted = (isFile: (upload: InterruptedUpload) => boolean) => InterruptedUpload | undefined;

/** An upload of which the browser has stored the file. */
export type StoredFile = PendingUpload & { file: File };
type Chosen = Checked & { stored?: StoredFile };

export class Intake {
  /** `skipped` is where the files of a folder are named that aren't images. Without more, no upload is resumed nor blurred. */
  constructor(
    private readonly form: HTMLFormElement,
    private readonly queue: Queue,
    private readonly skipped: HTMLElement,
    private readonly takeInterrupted: TakeInterrupted = () => undefined,
    private readonly blurring?: Blurring,
  ) {}

  /** Upload these files with the options of the form, which then belong to them and to no later ones. */
  async take(files: File[], from: Source): Promise<void> {
    const blur = this.blurring?.start();
    const options = this.#takeOptions();
    const checked = await checkAll(files.map((file) => ({ file })));
    const skipped = from === "folder" ? checked.filter(({ problem }) => problem !== undefined) : [];
    const chosen = checked.filter((each) => !skipped.includes(each));
    this.skipped.textContent = skipped.length > 0 ? skippedText(skipped.map(({ file }) => file)) : "";
    this.#add(blur ? await blur(chosen) : chosen, options);
  }

  /** Upload stored files likewise, under the titles that they came with. They stay stored until they are uploaded or rejected. */
  async takeStored(uploads: StoredFile[], isBlurWanted: boolean): Promise<void> {
    const blur = this.blurring?.start(isBlurWanted || undefined);
    const options = this.#takeOptions();
    const chosen = await checkAll(uploads.map((stored) => ({ file: stored.file, stored })));
    const wanted = blur ? await blur(chosen) : chosen;
    this.#add(wanted, options);
    const begun = new Set(wanted.flatMap(({ stored, problem }) => (stored && problem === undefined ? [stored.id] : [])));
    await Promise.all(uploads.filter(({ id }) => !begun.has(id)).map(({ id }) => removePendingUpload(id)));
  }

  #add(chosen: Chosen[], options: UploadOptions): void {
    this.queue.add(chosen.map((each) => this.#entry(each, options)));
    if (chosen.length > 0) this.queue.showNewest();
  }

  #entry({ file, problem, stored }: Chosen, options: UploadOptions): Entry {
    if (problem !== undefined) return { file, problem };
    if (stored) return { file, options: { ...stored.options, ...options }, begun: { id: stored.id } };
    const begun = this.takeInterrupted((upload) => isFileOf(upload, file));
    return begun ? { file, options: begun.options, begun } : { file, options };
  }

  #takeOptions(): UploadOptions {
    const fields = [...new FormData(this.form)].filter((field): field is [string, string] => typeof field[1] === "string");
    this.form.reset();
    return Object.fromEntries(fields.filter(([, value]) => value !== ""));
  }
}

async function checkAll(files: Chosen[]): Promise<Chosen[]> {
  await languageReady;
  const problems = await Promise.all(files.map(({ file }) => problemOf(file)));
  return files.map((each, index) => ({ ...each, problem: problems[index] }));
}

function skippedText(files: File[]): string {
  const names = files.slice(0, MAX_NAMES).map(({ name }) => name);
  const more = files.length - names.length;
  if (more > 0) names.push(tn("{count} more", "{count} more", more));
  const why = tn(
    "{count} file in the folder was skipped because it isn’t a supported image:",
    "{count} files in the folder were skipped because they aren’t supported images:",
    files.length,
  );
  return `${why} ${new Intl.ListFormat(locale(), { type: "conjunction" }).format(names)}.`;
}
