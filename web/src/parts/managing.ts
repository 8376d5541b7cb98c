// Managing an image in place: the form's changes go to the API, and the page shows what has become of it.

import { announce } from "./announce";
import { ask, Problem } from "./api";
import { bare, drop, keep, takesTorn, tokenOf } from "./token";
import { t } from "./words";

const LIVE = ["about", "codes", "shown", "deleted"]; // what of the page tells of title, description and expiry

/** Bring the manage form to life. Without a script it is sent as it is. */
export function wireManaging(page: HTMLElement): void {
  const form = page.querySelector<HTMLFormElement>("#manage form");
  const field = form?.querySelector<HTMLInputElement>("[name=token]");
  if (!form || !field) return;
  const managing = new Managing(page, form, field);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const action = (event.submitter as HTMLButtonElement | null)?.value;
    void managing.run(action === "delete" ? () => managing.remove() : () => managing.save());
  });
  const arrive = (): void => managing.arrive();
  addEventListener("hashchange", arrive); // a manage link that is opened where the page is open already
  arrive();
}

class Managing {
  readonly #page: HTMLElement;
  readonly #form: HTMLFormElement;
  readonly #field: HTMLInputElement;
  readonly #slug: string;
  #asking = false;

  constructor(page: HTMLElement, form: HTMLFormElement, field: HTMLInputElement) {
    this.#page = page;
    this.#form = form;
    this.#field = field;
    this.#slug = page.dataset["slug"] ?? "";
  }

  /** Open the form for whoever comes with a token, by a link or by what this tab remembers. */
  arrive(): void {
    const byLink = location.hash !== ""; // before its token is taken out of the address
    const token = tokenOf(this.#slug);
    if (token) this.#unlock(token);
    if (token && byLink && location.hash === "") this.#show(t("This is your manage link. You can change or delete the image here."));
    else if (takesTorn()) this.#show(t("This manage link is incomplete. Copy it again, or enter the delete token."));
  }

  /** With its token the form is open and asks for nothing that is known. */
  #unlock(token: string): void {
    this.#field.value = token;
    this.#field.closest<HTMLElement>(".field")!.hidden = true;
    this.#page.querySelector<HTMLDetailsElement>("#manage")!.open = true;
  }

  /** A token that was refused is not tried again: the form asks for the right one. */
  #lock(): void {
    drop(this.#slug);
    const place = this.#field.closest<HTMLElement>(".field")!;
    if (!place.hidden) return;
    place.hidden = false;
    this.#field.focus();
  }

  /** Whoever came by the manage link came for the form, which lies far below the picture. */
  #show(words: string): void {
    this.#page.querySelector<HTMLDetailsElement>("#manage")!.open = true;
    const head = this.#page.querySelector<HTMLElement>("#manage summary")!;
    head.scrollIntoView({ block: "start" });
    head.focus({ preventScroll: true });
    announce(words);
  }

  /** One change at a time, its problem told beside the form. A browser takes the focus from what is disabled, so nothing is. */
  async run(change: () => Promise<void>): Promise<void> {
    if (this.#asking) return;
    this.#wait(true);
    this.#tell();
    try {
      await change();
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      this.#tell(fault);
      if (fault.code === "token-wrong") this.#lock();
    } finally {
      this.#wait(false);
    }
  }

  #wait(asking: boolean): void {
    this.#asking = asking;
    for (const button of this.#form.querySelectorAll("button")) button.setAttribute("aria-disabled", String(asking));
  }

  async save(): Promise<void> {
    const value = (name: string): string => new FormData(this.#form).get(name)?.toString() ?? "";
    const expires = value("expires_in");
    const changes = { title: value("title") || null, alt: value("alt") || null };
    await this.#ask("PATCH", expires ? { ...changes, expires_in: expires } : changes);
    keep(this.#slug, this.#token);
    const seen = await this.#refresh();
    announce(seen ? t("Saved.") : t("Saved. Reload the page to see the changes."));
  }

  async remove(): Promise<void> {
    await this.#ask("DELETE");
    keep(this.#slug, this.#token);
    const template = document.querySelector<HTMLTemplateElement>("#deleted")!;
    this.#page.hidden = true;
    this.#page.after(template.content.cloneNode(true));
    const shown = document.querySelector<HTMLElement>("#undoing")!;
    shown.querySelector<HTMLElement>("h1")!.focus();
    this.#countDown(shown, shown.querySelector("button")!);
  }

  /** The button is there as long as the server lets a deletion be undone. */
  #countDown(shown: HTMLElement, button: HTMLButtonElement): void {
    const until = Date.now() + Number(button.dataset["seconds"]) * 1000;
    const tick = (): void => {
      const left = Math.ceil((until - Date.now()) / 1000);
      button.textContent = t("Undo ({seconds} s)", { seconds: left });
      if (left > 0) return;
      clearInterval(ticking);
      if (document.activeElement === button) shown.querySelector<HTMLElement>("h1")!.focus();
      button.hidden = true;
      announce(t("It can no longer be undone."));
    };
    const ticking = setInterval(tick, 250);
    tick();
    button.addEventListener("click", () => {
      clearInterval(ticking);
      void this.#undo(shown);
    });
  }

  async #undo(shown: HTMLElement): Promise<void> {
    try {
      await this.#ask("PATCH", { deleted: false });
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      announce(fault.detail, { lang: fault.lang });
      return;
    }
    shown.remove();
    this.#page.hidden = false;
    this.#page.querySelector<HTMLElement>("#manage summary")!.focus();
    announce(t("Image restored."));
  }

  get #token(): string {
    return bare(this.#field.value);
  }

  async #ask(method: string, body?: unknown): Promise<void> {
    await ask(`/api/v1/images/${this.#slug}`, method, this.#token, body);
  }

  #tell(problem?: Problem): void {
    const place = document.querySelector("#manage-problem")!;
    place.replaceChildren();
    if (!problem) return;
    const words = document.createElement("p");
    words.lang = problem.lang;
    words.textContent = problem.detail;
    const box = document.createElement("div");
    box.className = "message problem";
    box.append(words);
    place.append(box);
  }

  /** The server has the words: take them from the page as it is now. False where it can't be had. */
  async #refresh(): Promise<boolean> {
    const reply = await fetch(location.pathname, { cache: "no-store" }).catch(() => undefined);
    if (!reply?.ok) return false;
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
    document.title = fresh.title;
    for (const id of LIVE) {
      const [here, there] = [document.getElementById(id), fresh.getElementById(id)];
      if (here instanceof HTMLImageElement) here.alt = there?.getAttribute("alt") ?? here.alt;
      else if (here && there) here.replaceWith(there);
    }
    const select = this.#form.querySelector("select")!;
    select.replaceChildren(...(fresh.querySelector("#manage select")?.children ?? []));
    select.value = ""; // as it is: moving options one by one chooses another each time
    this.#page.dispatchEvent(new Event("refreshed"));
    return true;
  }
}
