// Pages with a token field. The manage page changes in place; others get the token from the manage link filled in, and the
// page of something that is gone tells its owner until when it can be restored.

import { Problem } from "./parts/api";
import { showLocalTimes } from "./parts/local-times";
import { wireManageForm } from "./parts/manage-form";
import { checkToken, isWrongToken, restorableText, showProblem } from "./parts/restoring";
import { dropToken, tokenOf } from "./parts/token";

const KINDS: Record<string, string> = { i: "images", a: "albums" };

/** Fill in the token of the manage link, and say what it allows. */
async function welcomeOwner(field: HTMLInputElement, kind: string, slug: string): Promise<void> {
  const token = tokenOf(slug);
  if (!token || field.value) return;
  field.value = token;
  const place = field.closest("details");
  if (place) place.open = true;
  if (field.form && leadsOn(field.form)) return field.form.requestSubmit(field.form.querySelector("button"));
  if (field.form?.dataset["gone"] === undefined) return;
  try {
    await checkToken(`/api/v1/${KINDS[kind]}/${slug}`, token);
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    if (isWrongToken(fault)) refuse(field, slug, fault);
    else if (fault.restorableUntil) document.querySelector("#restorable")!.textContent = restorableText(fault.restorableUntil);
  }
}

/** Whether the manage link of something locked leads past this page: unless it has just led back here. */
const leadsOn = (form: HTMLFormElement): boolean =>
  form.dataset["opens"] !== undefined && location.pathname.endsWith("/manage") && !document.querySelector(".message.problem");

function refuse(field: HTMLInputElement, slug: string, fault: Problem): void {
  dropToken(slug);
  field.value = "";
  showProblem(document.querySelector("#manage-problem")!, fault);
}

const page = document.querySelector<HTMLElement>("#image");
const field = document.querySelector<HTMLInputElement>("[name=token]");
const [, kind, slug] = /^\/([ai])\/(\w+)/.exec(location.pathname) ?? [];
showLocalTimes();
if (page) {
  page.addEventListener("refreshed", () => showLocalTimes());
  wireManageForm(page);
} else if (field && kind && slug) void welcomeOwner(field, kind, slug);
