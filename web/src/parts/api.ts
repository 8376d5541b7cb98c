// Calls to the JSON API: replies as values, problems as errors that people can read.

import { t } from "./messages";
import { localizeProblem, pageLanguage, type ProblemDetails } from "./problems";

/**
 * A call that failed. `message` is for people, in the language `lang`. `restorableUntil` is a time (RFC 3339): what is gone
 * can be restored until then. `challenge`: of a proof of work that the call needs, as JSON.
 */
export class Problem extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly lang: string,
    readonly restorableUntil?: string,
    readonly status = 0,
    readonly challenge?: string,
  ) {
    super(message);
  }

  /** Whether the same call would fail again: nothing is to be waited for. */
  get isRefusal(): boolean {
    return REFUSALS.includes(this.status);
  }
}

const REFUSALS = [400, 404, 410];

/** The code of a Problem when no reply came. */
export const UNREACHABLE = "unreachable";

interface Call {
  method: string;
  /** A delete token. */
  token?: string | undefined;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, instead of `body`. */
  file?: Blob;
  headers?: Record<string, string>;
  /** Whether the call continues when the page is left. */
  keepalive?: boolean;
}

/** The JSON of the reply, undefined for an empty one. Throws Problem, also when the server can't be reached. */
export async function callApi(path: string, { method, token, body, file, headers = {}, keepalive = false }: Call): Promise<unknown> {
  const request: RequestInit = {
    method,
    cache: "no-store",
    keepalive,
    headers: {
      Accept: "application/json",
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(file === undefined ? {} : { "Content-Type": "application/octet-stream" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(file === undefined ? {} : { body: file }),
  };
  let reply: Response;
  try {
    reply = await fetch(path, request);
  } catch {
    throw new Problem(UNREACHABLE, t("The server can’t be reached. Check your connection and try again."), pageLanguage());
  }
  const answer: unknown = reply.status === 204 ? undefined : await reply.json().catch(() => ({}));
  if (reply.ok) return answer;
  const problem = answer as ProblemDetails;
  const { text, lang } = localizeProblem({ title: reply.statusText, ...problem });
  const challenge = problem.challenge ? JSON.stringify({ challenge: problem.challenge }) : undefined;
  throw new Problem(problem.code ?? String(reply.status), text, lang, problem.restorable_until, reply.status, challenge);
}
