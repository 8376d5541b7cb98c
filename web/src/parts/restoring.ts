// What an owner is told about something in the bin: until when it can be restored.

import { callApi, Problem } from "./api";
import { dayOrMoment } from "./local-times";
import { t } from "./messages";

/** A sentence for a time in RFC 3339. */
export const restorableText = (until: string): string => t("It can be restored until {date}.", { date: dayOrMoment(until) });

/**
 * Check a token without changing anything; `address` is that of the image or album in the API. Throws Problem: `token-wrong`,
 * or the one that says that it is gone.
 */
export const checkToken = (address: string, token: string): Promise<unknown> => callApi(address, { method: "PATCH", token, body: {} });

/** Whether the problem says that the token isn't the right one. */
export const isWrongToken = (fault: Problem): boolean => fault.code === "token-wrong";

/** Show a problem, or none, in a box in `place`, which is a live region. */
export function showProblem(place: Element, problem?: Problem): void {
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
