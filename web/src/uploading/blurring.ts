// Blurring first: each chosen image goes through the editor before the queue has it, so nobody sees what gets covered.

import { say } from "../parts/announce";
import { t } from "../parts/messages";

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
  start(): ((chosen: Checked[]) => Promise<Checked[]>) | undefined {
    if (!this.checkbox.checked && this.#open === 0) return undefined;
    this.#open += 1;
    return (chosen) => {
      const edited = this.#last.then(() => editAll(chosen)).finally(() => (this.#open -= 1));
      this.#last = edited.catch(() => undefined);
      return edited;
    };
  }
}

async function editAll(chosen: Checked[]): Promise<Checked[]> {
  const edited: Checked[] = [];
  for (const each of chosen) edited.push(...(each.problem === undefined ? await editOne(each.file) : [each]));
  if (document.activeElement === document.body) document.querySelector<HTMLElement>("#file")?.focus({ preventScroll: true });
  return edited;
}

async function editOne(file: File): Promise<Checked[]> {
  const editor = await import("../blurring/editor").catch(() => undefined);
  if (!editor) {
    const { name } = file;
    return [{ file, problem: t("The editor could not be loaded, so {name} was not uploaded. Check your connection and try again.", { name }) }];
  }
  const edited = await editor.edit(file);
  if (edited) return [{ file, ...edited }];
  say(t("{name} was not uploaded.", { name: file.name }));
  return [];
}
