// The manage form of the share page: its changes go to the API, and the page shows the result.

import { announce } from "./announce";
import { callApi, Problem } from "./api";
import { clearIncompleteToken, dropToken, storeToken, tokenIn, tokenOf } from "./token";
import { t } from "./messages";

const DEPENDENT_IDS = ["about", "codes", "shown", "deleted"]; // the elements that show title, description or expiry

/** Let the manage form work in place. Without this script it is sent as an ordinary form. */
export function wireManageForm(page: HTMLElement): void {
  const form = page.querySelector<HTMLFormElement>("#manage form");
  const field = form?.querySelector<HTMLInputElement>("[name=token]");
  if (!form || !field) return;
  const manageForm = new ManageForm(page, form, field);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const action = (event.submitter as HTMLButtonElement | null)?.value;
    void manageForm.runChange(action === "delete" ? () => manageForm.remove() : () => manageForm.save());
  });
  const open = (): void => manageForm.open();
  addEventListener("hashchange", open); // a manage link was opened while the page was already open
  open();
}

class ManageForm {
  readonly #page: HTMLElement;
  readonly #form: HTMLFormElement;
  readonly #field: HTMLInputElement;
  readonly #slug: string;
  #isBusy = false;

  constructor(page: HTMLElement, form: HTMLFormElement, field: HTMLInputElement) {
    this.#page = page;
    this.#form = form;
    this.#field = field;
    this.#slug = page.dataset["slug"] ?? "";
  }

  /** Open the form if there is a token, from the link or stored in this tab. */
  open(): void {
    const byLink = location.hash !== ""; // before the token is removed from the address
    const token = tokenOf(this.#slug);
    if (token) this.#unlock(token);
    if (token && byLink && location.hash === "") this.#reveal(t("This is your manage link. You can change or delete the image here."));
    else if (clearIncompleteToken()) this.#reveal(t("This manage link is incomplete. Copy it again, or enter the delete token."));
  }

  /** Open the form, without the token field, because the token is known. */
  #unlock(token: string): void {
    void import("../library/offering").then(({ offerImage }) => offerImage(this.#slug, token, this.#form));
    this.#field.value = token;
    this.#field.closest<HTMLElement>(".field")!.hidden = true;
    this.#page.querySelector<HTMLDetailsElement>("#manage")!.open = true;
  }

  /** Forget a token that was refused, and show the field for the right one. */
  #lock(): void {
    dropToken(this.#slug);
    const place = this.#field.closest<HTMLElement>(".field")!;
    if (!place.hidden) return;
    place.hidden = false;
    this.#field.focus();
  }

  /** Scroll to the form, which is far below the image, and announce a message. */
  #reveal(message: string): void {
    this.#page.querySelector<HTMLDetailsElement>("#manage")!.open = true;
    const head = this.#page.querySelector<HTMLElement>("#manage summary")!;
    head.scrollIntoView({ block: "start" });
    head.focus({ preventScroll: true });
    announce(message);
  }

  /** One change at a time; its problem is shown above the form. Buttons aren't disabled, because that would lose the focus. */
  async runChange(change: () => Promise<void>): Promise<void> {
    if (this.#isBusy) return;
    this.#setBusy(true);
    this.#showProblem();
    try {
      await change();
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      this.#showProblem(fault);
      if (fault.code === "token-wrong") this.#lock();
    } finally {
      this.#setBusy(false);
    }
  }

  #setBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    for (const button of this.#form.querySelectorAll("button")) button.setAttribute("aria-disabled", String(isBusy));
  }

  async save(): Promise<void> {
    const value = (name: string): string => new FormData(this.#form).get(name)?.toString() ?? "";
    const expires = value("expires_in");
    const changes = { title: value("title") || null, alt: value("alt") || null };
    await this.#call("PATCH", expires ? { ...changes, expires_in: expires } : changes);
    storeToken(this.#slug, this.#token);
    const isRefreshed = await this.#refresh();
    announce(isRefreshed ? t("Saved.") : t("Saved. Reload the page to see the changes."));
  }

  async remove(): Promise<void> {
    await this.#call("DELETE");
    storeToken(this.#slug, this.#token);
    const template = document.querySelector<HTMLTemplateElement>("#deleted")!;
    this.#page.hidden = true;
    this.#page.after(template.content.cloneNode(true));
    const shown = document.querySelector<HTMLElement>("#undoing")!;
    shown.querySelector<HTMLElement>("h1")!.focus();
    this.#countDown(shown, shown.querySelector("button")!);
  }

  /** Show the undo button for as long as the server allows to undo. */
  #countDown(shown: HTMLElement, button: HTMLButtonElement): void {
    const until = Date.now() + Number(button.dataset["seconds"]) * 1000;
    const tick = (): void => {
      const left = Math.ceil((until - Date.now()) / 1000);
      button.textContent = t("Undo ({seconds} s)", { seconds: left });
      if (left > 0) return;
      clearInterval(ticking);
      if (document.activeElement === button) shown.querySelector<HTMLElement>("h1")!.focus();
      button.hidden = true;
      announce(t("This can no longer be undone."));
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
      await this.#call("PATCH", { deleted: false });
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      announce(fault.message, { lang: fault.lang });
      return;
    }
    shown.remove();
    this.#page.hidden = false;
    this.#page.querySelector<HTMLElement>("#manage summary")!.focus();
    announce(t("Image restored."));
  }

  get #token(): string {
    return tokenIn(this.#field.value);
  }

  async #call(method: string, body?: unknown): Promise<void> {
    await callApi(`/api/v1/images/${this.#slug}`, { method, token: this.#token, body });
  }

  #showProblem(problem?: Problem): void {
    const place = document.querySelector("#manage-problem")!;
    place.replaceChildren();
    if (!problem) return;
    const text = document.createElement("p");
    text.lang = problem.lang;
    text.textContent = problem.message;
    const box = document.createElement("div");
    box.className = "message problem";
    box.append(text);
    place.append(box);
  }

  /** Replace the elements that depend on the change with those of the current page. False if it can't be loaded. */
  async #refresh(): Promise<boolean> {
    const reply = await fetch(location.pathname, { cache: "no-store" }).catch(() => undefined);
    if (!reply?.ok) return false;
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
    document.title = fresh.title;
    for (const id of DEPENDENT_IDS) {
      const [here, there] = [document.getElementById(id), fresh.getElementById(id)];
      if (here instanceof HTMLImageElement) here.alt = there?.getAttribute("alt") ?? here.alt;
      else if (here && there) here.replaceWith(there);
    }
    const select = this.#form.querySelector("select")!;
    select.replaceChildren(...(fresh.querySelector("#manage select")?.children ?? []));
    select.value = ""; // no change: inserting options changes the selection
    this.#page.dispatchEvent(new Event("refreshed"));
    return true;
  }
}
