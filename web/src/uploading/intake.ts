// The one door for files: whatever brings some (a picker, a drop, a paste) calls `take`, and what they are to be is decided
// here before the queue has them.

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

export class Intake {
  /** `skipped` is where the files of a folder are named that aren't images. */
  constructor(
    private readonly form: HTMLFormElement,
    private readonly queue: Queue,
    private readonly skipped: HTMLElement,
    private readonly takeInterrupted: TakeInterrupted,
    private readonly blurring: Blurring,
  ) {}

  /** Upload these files with the options of the form, which then belong to them and to no later ones. */
  async take(files: File[], from: Source): Promise<void> {
    const blur = this.blurring.start();
    const options = this.#takeOptions();
    const problems = await Promise.all(files.map(problemOf));
    const checked = files.map((file, index): Checked => ({ file, problem: problems[index] }));
    const skipped = from === "folder" ? checked.filter(({ problem }) => problem !== undefined) : [];
    const chosen = checked.filter((each) => !skipped.includes(each));
    this.skipped.textContent = skipped.length > 0 ? skippedText(skipped.map(({ file }) => file)) : "";
    const entries = (blur ? await blur(chosen) : chosen).map((each) => this.#entry(each, options));
    this.queue.add(entries);
    if (entries.length > 0) this.queue.showNewest();
  }

  #entry({ file, problem }: Checked, options: UploadOptions): Entry {
    if (problem !== undefined) return { file, problem };
    const begun = this.takeInterrupted((upload) => isFileOf(upload, file));
    return begun ? { file, options: begun.options, begun } : { file, options };
  }

  #takeOptions(): UploadOptions {
    const fields = [...new FormData(this.form)].filter((field): field is [string, string] => typeof field[1] === "string");
    this.form.reset();
    return Object.fromEntries(fields.filter(([, value]) => value !== ""));
  }
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
