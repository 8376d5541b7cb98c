// Problem details in the replies that the client for uploads passes on as texts.

import { type LocalizedText, localizeProblem, type ProblemDetails } from "../parts/problems";

/** The problem's code; undefined if there is none. */
export function codeIn(body: string | undefined): string | undefined {
  try {
    return (JSON.parse(body ?? "") as ProblemDetails).code;
  } catch {
    return undefined;
  }
}

/** The problem in a reply's body; undefined if there is none. */
export function problemIn(body: string | undefined): LocalizedText | undefined {
  try {
    return localizeProblem(JSON.parse(body ?? "") as ProblemDetails);
  } catch {
    return undefined;
  }
}
