// Requests to the API: answers as values, problems as errors with words for people.

import { lang, type Problematic, told } from "./problems";
import { t } from "./words";

/** What was asked and could not be done. `detail` is for people, in the language `lang`. */
export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly lang: string,
  ) {
    super(detail);
  }
}

/** An answer's JSON, undefined for none. Throws Problem, also when the server can't be reached. */
export async function ask(path: string, method: string, token: string, body?: unknown): Promise<unknown> {
  const headers: Record<string, string> = { Accept: "application/json", Authorization: `Bearer ${token}` };
  const request: RequestInit = { method, headers, cache: "no-store" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  let reply: Response;
  try {
    reply = await fetch(path, request);
  } catch {
    const words = t("The server can’t be reached. Check your connection and try again.");
    throw new Problem("unreachable", words, lang());
  }
  const answer: unknown = reply.status === 204 ? undefined : await reply.json().catch(() => ({}));
  if (reply.ok) return answer;
  const problem = answer as Problematic;
  const { words, lang: spoken } = told({ title: reply.statusText, ...problem });
  throw new Problem(problem.code ?? String(reply.status), words, spoken);
}
