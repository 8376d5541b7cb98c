// What refusals mean, whose bodies the client that sends files passes on as text.

import { type LocalizedText, localizeProblem, type ProblemDetails } from "../parts/problems";

export const PROOF_REQUIRED = 428;
export const TOO_MANY_REQUESTS = 429;
const UNAUTHORIZED = 401;
export const LOCKED = 423;
const BUSY = [409, LOCKED];
const INSUFFICIENT_STORAGE = 507;

/** Whether the same request may succeed soon; 0 means that no reply came. */
export const isTemporary = (status: number): boolean => status === 0 || BUSY.includes(status) || (status >= 500 && status !== INSUFFICIENT_STORAGE);

/** Whether the upload can't be tried again; with an access key it can. */
export const isRefused = (status: number): boolean => status >= 400 && status < 500 && status !== UNAUTHORIZED;

/** Whether the upload waits for space on the server. */
export const isPaused = (status: number, body: string | undefined): boolean => status === LOCKED && codeIn(body) === "upload-paused";

/** The problem in the language of the page; undefined if there is none. */
export function problemIn(body: string | undefined): LocalizedText | undefined {
  try {
    return localizeProblem(JSON.parse(body ?? "") as ProblemDetails);
  } catch {
    return undefined;
  }
}

/** The code of the problem; undefined if there is none. */
function codeIn(body: string | undefined): string | undefined {
  try {
    return (JSON.parse(body ?? "") as ProblemDetails).code;
  } catch {
    return undefined;
  }
}
