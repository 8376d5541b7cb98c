// Blurring first: each chosen image goes through the editor before the queue has it, so nobody sees what gets covered.

import type { Edited } from "../blurring/editor";
import { say } from "../parts/announce";
import { t, tn } from "../parts/messages";

/** A chosen file, and why it can't be uploaded, if so. */
export type Checked = { file: File; problem?: string | undefined };

export class Blurring {
  #open = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly checkbox: HTMLInputElement) {}

  /**
   * What edits the files that are chosen now, one by one, and leaves out those that nobody wants uploaded; undefined if they are
   * to be uploaded as they are. What comes while the editor is open is edited after it.
   */
  start(isWanted = this.checkbox.checked): (<File extends Checked>(chosen: File[]) => Promise<File[]>) | undefined {
    if (!isWanted && this.#open === 0) return undefined;
    this.#open += 1;
    return (chosen) => {
      const edited = this.#last.then(() => editAll(chosen)).finally(() => (this.#open -= 1));
      this.#last = edited.catch(() => undefined);
      return edited;
    };
  }
}

async function editAll<Chosen extends Checked>(chosen: Chosen[]): Promise<Chosen[]> {
  const wanted: Chosen[] = [];
  const editable = chosen.filter(({ problem }) => problem === undefined);
  let end = editable.length;
  for (const each of chosen) {
    const at = editable.indexOf(each);
    if (at < 0) wanted.push(each);
    if (at < 0 || at >= end) continue;
    const edited = await editOne(each.file, at + 1, editable.length);
    if (typeof edited === "object") wanted.push({ ...each, ...edited });
    else if (edited === "cancelled") end = at;
  }
  if (end < editable.length) sayCancelled(editable.length - end);
  if (document.activeElement === document.body) document.querySelector<HTMLElement>("#file")?.focus({ preventScroll: true });
  return wanted;
}

async function editOne(file: File, place: number, count: number): Promise<Edited> {
  const { name } = file;
  const editor = await import("../blurring/editor").catch(() => undefined);
  if (!editor) {
    return { problem: t("The editor could not be loaded, so {name} was not uploaded. Check your connection and try again.", { name }) };
  }
  const edited = await editor.edit(file, place, count);
  if (edited === "discarded") say(t("{name} was not uploaded.", { name }));
  return edited;
}

function sayCancelled(count: number): void {
  say(tn("{count} image was not uploaded.", "{count} images were not uploaded.", count));
}
