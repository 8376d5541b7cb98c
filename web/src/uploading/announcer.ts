// What screen readers hear of uploads: each step of a single file, and of several how many are done, not two hundred names.

import { say } from "../parts/announce";
import { size } from "../parts/formatting";
import { t, tn } from "../parts/messages";
import type { Run } from "./run";
import type { Phase } from "./phase";
import type { Transfer } from "./transfer";

const MIN_PAUSE_MS = 3000;

export class Announcer {
  #phases = new WeakMap<Transfer, Phase>();
  #wasOffline = false;
  #saidAt = 0;
  #quarters = 0;

  /** The files that were just chosen: those that aren't accepted are said at once. */
  chosen(problems: string[]): void {
    this.#quarters = 0;
    const [first = "", ...others] = problems;
    if (others.length === 0) return first ? say(first) : undefined;
    say(tn("{count} file was rejected. See the reason above.", "{count} files were rejected. See the reasons above.", problems.length));
  }

  /** The transfer has sent more, or is in another phase. */
  changed(transfer: Transfer, run: Run): void {
    const isNews = this.#phases.get(transfer) !== transfer.phase;
    this.#phases.set(transfer, transfer.phase);
    if (run.count + run.refused > 1) this.#sayRun(transfer, run, isNews);
    else if (isNews) this.#sayPhase(transfer);
    else if (transfer.phase === "sending") {
      const { name, size: whole } = transfer.file;
      const progress = { name, sent: size(transfer.sent), whole: size(whole) };
      this.#sayQuarter(transfer.sent / whole, t("{name}: {sent} of {whole} sent.", progress));
    }
  }

  #sayRun(transfer: Transfer, run: Run, isNews: boolean): void {
    if (isNews && run.isOver) return this.#say(summaryOf(run.done, run.rejected));
    if (run.isOffline !== this.#wasOffline) {
      this.#wasOffline = run.isOffline;
      if (!run.isOffline) return this.#say(t("Back online. The uploads resume."));
      if (transfer.limitedUntil) return this.#say(t("A limit is reached. Uploads resume automatically."));
      if (transfer.waitsForSpace) return this.#say(t("The server is out of space. The uploads resume automatically."));
      return this.#say(t("Connection lost. The uploads resume when you’re back online."));
    }
    if (transfer.phase === "done") {
      this.#sayQuarter(run.done / run.count, t("{done} of {count} uploaded.", { done: run.done, count: run.count }));
    }
  }

  #sayPhase({ phase, file: { name }, problem, waitsForSpace, limitedUntil }: Transfer): void {
    if (phase === "done") this.#say(t("{name} uploaded.", { name }));
    if (phase === "sending" && this.#wasOffline) this.#say(t("Back online. Resuming {name}.", { name }));
    this.#wasOffline = phase === "offline" && !waitsForSpace && !limitedUntil;
    if (phase === "offline" && limitedUntil) this.#say(t("A limit is reached. {name} resumes automatically.", { name }));
    else if (phase === "offline" && waitsForSpace) this.#say(t("The server is out of space. {name} resumes automatically.", { name }));
    else if (phase === "offline") this.#say(t("Connection lost. {name} resumes when you’re back online.", { name }));
    if (phase === "failed" || phase === "refused") {
      this.#say(t("{name} was not uploaded. {problem}", { name, problem: problem?.text ?? "" }).trim(), problem?.lang);
    }
  }

  /** At each quarter, for those who don't see the progress bar. */
  #sayQuarter(part: number, text: string): void {
    const quarters = Math.floor(part * 4);
    if (quarters === this.#quarters || Date.now() - this.#saidAt < MIN_PAUSE_MS) return;
    this.#quarters = quarters;
    if (quarters > 0) this.#say(text);
  }

  #say(text: string, lang?: string): void {
    this.#saidAt = Date.now();
    say(text, lang);
  }
}

/** How it ended: what was rejected comes last, because it needs somebody to do something. */
export function summaryOf(done: number, rejected: number): string {
  const uploaded = tn("{count} image uploaded.", "{count} images uploaded.", done);
  const others = tn("{count} file was not uploaded; its card says why.", "{count} files were not uploaded; their cards say why.", rejected);
  return [...(done > 0 ? [uploaded] : []), ...(rejected > 0 ? [others] : [])].join(" ");
}
